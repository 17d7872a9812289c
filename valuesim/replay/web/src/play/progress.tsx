// A play that asks nobody just now: others decide, or it is a branch without a person.
import type { Play } from "./plays";

/** `hasPerson` tells that a person plays, who is shown nothing of what others decide before they are told. */
export function Progress({ play, hasPerson }: { play: Play; hasPerson: boolean }) {
  const told = play.kind === "branch" && !hasPerson ? "It is being played…" : "The others decide…";
  return (
    <div class="note">
      <p role="status">{play.state === "starting" ? "It is being made ready…" : told}</p>
      <progress aria-label="Episodes done" max={Math.max(1, play.total)} {...(play.total > 1 ? { value: play.episodes } : {})} />
    </div>
  );
}
