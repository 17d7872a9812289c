// Take part: a whole game that a person plays.
export function PartPage() {
  return <section class="state">Take part</section>;
}
