// Branch: an episode left at a step, with something changed.
import { useEffect, useState } from "preact/hooks";
import * as api from "../api";
import { Guard } from "../guard";
import { branchLink, episodeLink, go, noteAddress, type Moment } from "../route";
import { Text } from "../text";
import type { Episode } from "../types";
import { MomentPanel } from "../watch/moment";
import { Stage } from "../watch/stage";
import { BranchForm } from "./form";

const SETTLING = 250;

export function BranchPage({ run, episode, step, role }: Moment) {
  const { answer, error, isWaiting } = api.useAnswer(`${run}/${episode}`, (signal) => api.episode(run, episode, signal));
  if (error && !isWaiting) return <Trouble error={error} back={episodeLink(run, episode, step, role)} />;
  if (!answer) {
    return (
      <section class="state" role="status">
        <p>Opening the episode…</p>
      </section>
    );
  }
  return <Leaving episode={answer} step={step} role={role} />;
}

const TITLES: Record<number, string> = { 404: "This episode was not found", [api.NOT_YET]: "This episode is not read yet" };

function Trouble({ error, back }: { error: api.Refused; back: string }) {
  return (
    <section class="state" role="alert">
      <h1>{TITLES[error.status] ?? "This episode could not be opened"}</h1>
      <p>
        <Text most={1000}>{error.message}</Text>
      </p>
      <a href={back}>Back to the episode</a>
    </section>
  );
}

function indexOf(episode: Episode, step: number | null): number {
  // a branch has steps of the episode that it leaves: by default it is left where its own begin
  const asked = step ?? episode.parent?.step ?? 0;
  return Math.max(0, episode.steps.findLastIndex((each) => each.step <= asked));
}

function Leaving({ episode, step, role }: { episode: Episode; step: number | null; role: string | null }) {
  const [index, setIndex] = useState(() => indexOf(episode, step));
  const [settled, setSettled] = useState(index);
  useEffect(() => setIndex(indexOf(episode, step)), [step]);
  useEffect(() => {
    // what can be changed is worked out of the whole world: it is asked for once the slider rests
    const told = setTimeout(() => setSettled(index), SETTLING);
    return () => clearTimeout(told);
  }, [index]);
  const now = episode.steps[index];
  const at = episode.steps[settled]?.step ?? 0;
  useEffect(() => noteAddress(branchLink(episode.run, episode.episode, at, role)), [settled]);
  if (!now) return <p class="state">Nobody was asked anything in this episode: there is nothing to leave.</p>;
  const shown = role && role in episode.population ? role : (now.moments[0]?.role ?? "");
  return (
    <div class="branching">
      <header class="heading">
        <a class="back" href={episodeLink(episode.run, episode.episode, now.step, role)}>
          ← The episode
        </a>
        <h1>
          Branch off <Text most={60}>{episode.env}</Text> <span class="muted">in</span> <Text most={80}>{episode.run_name}</Text>
        </h1>
        <p class="muted">All is as it was up to the step that is left. What is changed there is played on, as a run of its own; this episode stays as it is.</p>
      </header>
      <Steps episode={episode} index={index} onIndex={setIndex} />
      <div class="sides">
        <section class="scene-side" aria-label="The moment that is left" tabIndex={0}>
          <Stage episode={episode} step={index} role={shown} />
          <details class="section">
            <summary>
              What <Text most={40}>{shown}</Text> was asked, and answered
            </summary>
            <Guard at={`${index} ${shown}`} failed="This decision could not be shown">
              <MomentPanel episode={episode} step={now} role={shown} onRole={(next) => go(branchLink(episode.run, episode.episode, now.step, next), true)} />
            </Guard>
          </details>
        </section>
        <section class="form-side" aria-label="What is changed">
          <BranchForm episode={episode} step={at} index={settled} role={shown} />
        </section>
      </div>
    </div>
  );
}

function Steps({ episode, index, onIndex }: { episode: Episode; index: number; onIndex: (index: number) => void }) {
  const last = episode.steps.length - 1;
  const step = episode.steps[index]?.step ?? 0;
  return (
    <div class="leave-at">
      <button type="button" class="small" disabled={index === 0} onClick={() => onIndex(index - 1)}>
        ← <span class="unseen">Leave one step </span>earlier
      </button>
      <label>
        <span>
          Leave it at step <strong>{step}</strong>
        </span>
        <input
          type="range"
          min={0}
          max={last}
          value={index}
          disabled={last === 0}
          aria-valuetext={`step ${step}`}
          onInput={(event) => onIndex(Number(event.currentTarget.value))}
        />
      </label>
      <button type="button" class="small" disabled={index === last} onClick={() => onIndex(index + 1)}>
        <span class="unseen">Leave one step </span>later →
      </button>
    </div>
  );
}
