// Two episodes side by side, and what differed.
export interface Pair {
  run: string;
  episode: string;
  other: { run: string; episode: string };
  step: number | null;
}

export function ComparePage({ episode }: Pair) {
  return <section class="state">{episode}</section>;
}
