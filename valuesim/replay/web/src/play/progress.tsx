// A play that asks nobody just now: others decide, or it is a branch without a person.
import type { Play } from "./plays";

/** Where a person plays, nothing of what others decide is shown before they are told. */
export function Progress({ play }: { play: Play }) {
  const told = play.kind === "branch" && !play.person ? "It is being played…" : "The others decide…";
  return (
    <div class="note">
      <p role="status">{play.state === "starting" ? "It is being made ready…" : told}</p>
      <progress aria-label="Episodes done" max={Math.max(1, play.total)} {...(play.total > 1 ? { value: play.episodes } : {})} />
    </div>
  );
}
