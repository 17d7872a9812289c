// Branch: an episode left at a step, with something changed.
import type { Moment } from "../route";

export function BranchPage({ episode }: Moment) {
  return <section class="state">{episode}</section>;
}
