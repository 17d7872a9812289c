// Watch: one episode, step by step: the scene, and beside it what one role was asked and answered.
import { useEffect, useMemo, useState } from "preact/hooks";
import type * as api from "../api";
import { Guard } from "../guard";
import { useEpisode, type Following } from "../live/episode";
import { LiveMark } from "../live/mark";
import { useNewest } from "../live/newest";
import { useWhole } from "../live/whole";
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
  const { episode: answer, error, following, refused } = useEpisode(run, episode);
  if (error) return <Trouble error={error} back={back} />;
  if (!answer) {
    return (
      <section class="state" role="status">
        <p>Opening the episode…</p>
        {refused !== null && (
          <p class="muted">
            <Text most={1000}>{refused}</Text>
          </p>
        )}
      </section>
    );
  }
  return <Watching episode={answer} following={following} refused={refused} step={step} role={role} back={back} />;
}

function Trouble({ error, back }: { error: api.Refused; back: string }) {
  return (
    <section class="state" role="alert">
      <h1>{error.status === 404 ? "This episode was not found" : "This episode could not be opened"}</h1>
      <p>
        <Text most={1000}>{error.message}</Text>
      </p>
      <a href={back}>{isShared ? "To what this file holds" : "Back to where you were"}</a>
    </section>
  );
}

interface WatchingProps {
  episode: Episode;
  following: Following;
  refused: string | null;
  step: number | null;
  role: string | null;
  back: string;
}

function Watching({ episode: told, following, refused, step, role, back }: WatchingProps) {
  const { index, setIndex, isFollowing, follow } = useNewest(told, step);
  const { episode, isPartial, error } = useWhole(told, index);
  const [chosen, setChosen] = useState(role);
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
      {/* what is not finished cannot be left, nor judged */}
      {episode.live === undefined && <Actions episode={episode} step={now.step} role={shown} />}
      <LiveMark episode={episode} following={following} refused={refused} isFollowing={isFollowing} onFollow={follow} />
      <Timeline episode={episode} index={index} playing={playing} />
      <div class="sides">
        <section class="scene-side" aria-label="Scene" tabIndex={0}>
          <Stage episode={episode} step={index} role={shown} />
        </section>
        <section class="moment-side" aria-label="Decision">
          <Roles roles={roles} moments={now.moments} shown={shown} isFollowing={chosen === null} onRole={setChosen} />
          {isPartial && <p class="note" role="status">{error ? <Text most={400}>{error}</Text> : "Fetching the texts of this step…"}</p>}
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

/** Return the roles in the order in which they are first asked; those that never are come last. */
function rolesOf(episode: Episode): string[] {
  const asked = episode.steps.flatMap((step) => step.moments.map((moment) => moment.role));
  return [...new Set([...asked, ...Object.keys(episode.population)])];
}
