// A play in progress: a branch or a game that the viewer plays, and the person it asks.
export function PlayPage({ id }: { id: string }) {
  return <section class="state">{id}</section>;
}
