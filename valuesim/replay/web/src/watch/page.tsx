// Watch: one episode, step by step: the scene, and beside it what one role was asked and answered.
import { useEffect, useMemo, useState } from "preact/hooks";
import * as api from "../api";
import { Guard } from "../guard";
import { episodeLink, noteAddress } from "../route";
import { isShared } from "../shared";
import { Text } from "../text";
import type { Episode } from "../types";
import { Branches } from "../branch/tree";
import { AboutEpisode } from "./about";
import { Actions } from "./actions";
import { Heading } from "./heading";
import { MomentPanel } from "./moment";
import { usePlaying } from "./playing";
import { Roles } from "./roles";
import { Stage } from "./stage";
import { Timeline } from "./timeline";

const SETTLING = 200;

export interface Place {
  run: string;
  episode: string;
  step: number | null;
  role: string | null;
  back: string;
}

export function WatchPage({ run, episode, step, role, back }: Place) {
  const { answer, error, isWaiting } = api.useAnswer(`${run}/${episode}`, (signal) => api.episode(run, episode, signal));
  if (error && !isWaiting) return <Trouble error={error} back={back} />;
  if (!answer) {
    return (
      <section class="state" role="status">
        <p>Opening the episode…</p>
      </section>
    );
  }
  return <Watching episode={answer} step={step} role={role} back={back} />;
}

function Trouble({ error, back }: { error: api.Refused; back: string }) {
  return (
    <section class="state" role="alert">
      <h1>{error.status === 404 ? "This episode was not found" : "This episode could not be opened"}</h1>
      <p>
        <Text most={1000}>{error.message}</Text>
      </p>
      <a href={back}>{isShared ? "To what this file holds" : "Back to the episodes"}</a>
    </section>
  );
}

function Watching({ episode, step, role, back }: { episode: Episode; step: number | null; role: string | null; back: string }) {
  const [index, setIndex] = useState(() => indexOf(episode, step));
  const [chosen, setChosen] = useState(role);
  // the address was changed by hand, or by going back
  useEffect(() => setIndex(indexOf(episode, step)), [step]);
  useEffect(() => setChosen(role), [role]);
  const playing = usePlaying(index, episode.steps.length, setIndex);
  const now = episode.steps[index];
  const shown = chosen ?? now?.moments[0]?.role ?? Object.keys(episode.population)[0] ?? "";
  useEffect(() => {
    // a browser takes only so many changes of the address a second: it is told once the scrubber rests
    const told = setTimeout(() => noteAddress(episodeLink(episode.run, episode.episode, now?.step, chosen)), SETTLING);
    return () => clearTimeout(told);
  }, [index, chosen]);
  const roles = useMemo(() => rolesOf(episode), [episode]);
  if (!now) return <Empty episode={episode} back={back} />;
  return (
    <div class="watch">
      <Heading episode={episode} back={back} />
      <Actions episode={episode} step={now.step} role={shown} />
      <Timeline episode={episode} index={index} playing={playing} />
      <div class="sides">
        <section class="scene-side" aria-label="Scene" tabIndex={0}>
          <Stage episode={episode} step={index} role={shown} />
        </section>
        <section class="moment-side" aria-label="Decision">
          <Roles roles={roles} moments={now.moments} shown={shown} isFollowing={chosen === null} onRole={setChosen} />
          <Guard at={`${index} ${shown}`} failed="This decision could not be shown">
            <MomentPanel episode={episode} step={now} role={shown} onRole={setChosen} />
          </Guard>
        </section>
      </div>
      {!isShared && <Branches episode={episode} />}
      <AboutEpisode episode={episode} />
    </div>
  );
}

function Empty({ episode, back }: { episode: Episode; back: string }) {
  return (
    <div class="watch">
      <Heading episode={episode} back={back} />
      <section class="state">
        <p>Nobody was asked anything in this episode.</p>
      </section>
      <AboutEpisode episode={episode} />
    </div>
  );
}

/** Return the index of `step`, or of the last one before it: steps without a decision are not listed. */
function indexOf(episode: Episode, step: number | null): number {
  if (step === null) return 0;
  const found = episode.steps.findLastIndex((each) => each.step <= step);
  return Math.max(0, found);
}

/** Return the roles in the order in which they are first asked; those that never are come last. */
function rolesOf(episode: Episode): string[] {
  const asked = episode.steps.flatMap((step) => step.moments.map((moment) => moment.role));
  return [...new Set([...asked, ...Object.keys(episode.population)])];
}
