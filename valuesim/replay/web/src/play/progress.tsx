// A play that asks nobody just now: others decide, or it is a branch without a person.
import type { Play } from "./plays";

export function Progress({ play }: { play: Play }) {
  return (
    <div class="note">
      <p role="status">{play.state === "starting" ? "It is being made ready…" : "The others decide…"}</p>
      <progress aria-label="Episodes done" max={Math.max(1, play.total)} {...(play.total > 1 ? { value: play.episodes } : {})} />
    </div>
  );
}
