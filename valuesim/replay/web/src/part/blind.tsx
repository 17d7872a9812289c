// Blind: a person decides, guesses or rates before seeing what was decided, and once more after.
import type { Moment } from "../route";

export function BlindPage({ episode }: Moment) {
  return <section class="state">{episode}</section>;
}
