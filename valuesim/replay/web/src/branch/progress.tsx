// A branch that is being played: how far it is, what was decided last, and where to go when it is finished.
import { useEffect, useState } from "preact/hooks";
import * as api from "../api";
import { Guard } from "../guard";
import { compareLink, episodeLink } from "../route";
import type { Play } from "../play/plays";
import { decided } from "../scenes/reading";
import { Text } from "../text";
import type { Episode, Step } from "../types";

const NEWEST = 4;
const STATES: { [state in Play["state"]]: string } = {
  starting: "The world is brought to the step that is left…",
  playing: "It is being played.",
  asking: "It waits for a person's decision.",
  finished: "It is finished.",
  stopped: "It was stopped.",
  failed: "It failed.",
};

export function BranchProgress({ play }: { play: Play }) {
  return (
    <section class="branch-progress" aria-label="Progress of the branch">
      <p role="status">
        <strong>{STATES[play.state]}</strong> {play.step !== null && `Step ${play.step} was played last.`}
      </p>
      {(play.state === "starting" || play.state === "playing") && <progress aria-label="The branch is being played" />}
      {play.error !== null && (
        <p class="faulty">
          <Text most={1000}>{play.error}</Text>
        </p>
      )}
      <Links play={play} />
      <Guard at={`${play.id} ${play.step}`} failed="What was decided last could not be shown">
        <Newest play={play} />
      </Guard>
    </section>
  );
}

function Links({ play: { state, run, episode, parent } }: { play: Play }) {
  return (
    <p class="actions">
      {state === "finished" && run !== null && episode !== null && (
        <>
          <a class="button" href={episodeLink(run, episode, parent?.step)}>
            Watch it
          </a>
          {parent && <a href={compareLink(parent.run, parent.episode, run, episode, parent.step)}>Compare with its parent</a>}
        </>
      )}
      {parent && <a href={episodeLink(parent.run, parent.episode, parent.step)}>The episode that it leaves</a>}
    </p>
  );
}

/** The last steps as they are written; nothing while the log holds none of them. */
function Newest({ play }: { play: Play }) {
  const [steps, setSteps] = useState<Step[]>([]);
  const { run, episode, step, state, parent } = play;
  useEffect(() => {
    if (run === null || episode === null || step === null) return;
    const stop = new AbortController();
    api.episode(run, episode, stop.signal).then(
      (found: Episode) => setSteps(found.steps.filter((each) => each.step >= (parent?.step ?? 0)).slice(-NEWEST)),
      // it cannot be read before it is written: what was shown stays
      () => undefined,
    );
    return () => stop.abort();
  }, [run, episode, step, state]);
  if (steps.length === 0) return null;
  return (
    <>
      <h2>The newest decisions</h2>
      <ol class="newest">
        {steps.toReversed().map((each) => (
          <li key={each.step}>
            <span class="muted">step {each.step}</span>
            <ul>
              {each.moments.map((moment) => (
                <li key={moment.role}>
                  <Text most={40}>{moment.role}</Text>:{" "}
                  <span class={moment.fault === null ? "" : "faulty"}>
                    <Text most={80}>{decided(moment)}</Text>
                  </span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </>
  );
}
