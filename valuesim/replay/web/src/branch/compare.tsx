// Two episodes side by side, and what differed.
import { useEffect, useMemo, useState } from "preact/hooks";
import * as api from "../api";
import { Guard } from "../guard";
import { compareLink, episodeLink, noteAddress } from "../route";
import { Picture } from "../share/picture";
import { Share } from "../share/share";
import { Text } from "../text";
import type { Episode } from "../types";
import { usePlaying } from "../watch/playing";
import { Stage } from "../watch/stage";
import { Timeline } from "../watch/timeline";
import { family } from "./contract";
import { Decisions } from "./decisions";
import { aligned, relation, together, type Aligned } from "./differences";
import { Differed } from "./differed";
import { changesOnOneLine } from "./said";

export interface Pair {
  run: string;
  episode: string;
  other: { run: string; episode: string };
  step: number | null;
}

const SETTLING = 200;

export function ComparePage({ run, episode, other, step }: Pair) {
  const key = `${run}/${episode}/${other.run}/${other.episode}`;
  const { answer, error, isWaiting } = api.useAnswer(key, async (signal) => {
    const two = [api.episode(run, episode, signal), api.episode(other.run, other.episode, signal)] as const;
    // without the tree the two are shown all the same
    const tree = family(run, episode, signal).then((found) => found.root, () => null);
    return [...(await Promise.all(two)), await tree] as const;
  });
  if (error && !isWaiting) {
    const title = error.status === api.NOT_YET ? "The two are not read yet" : "The two cannot be compared";
    return (
      <section class="state" role="alert">
        <h1>{title}</h1>
        <p>
          <Text most={1000}>{error.message}</Text>
        </p>
        <a href={episodeLink(run, episode, step)}>To the first of them</a>
      </section>
    );
  }
  if (!answer) {
    return (
      <section class="state" role="status">
        <p>Opening both episodes…</p>
      </section>
    );
  }
  const [a, b, root] = answer;
  if (a.env !== b.env) return <OtherEnvironments a={a} b={b} />;
  return <Comparing key={key} a={a} b={b} root={root} step={step} />;
}

function OtherEnvironments({ a, b }: { a: Episode; b: Episode }) {
  return (
    <section class="state" role="alert">
      <h1>They are of two environments</h1>
      <p>
        <Text most={60}>{a.env}</Text> and <Text most={60}>{b.env}</Text> ask for other decisions: only episodes of one environment can be compared.
      </p>
      <p>
        <a href={episodeLink(a.run, a.episode)}>The first</a> · <a href={episodeLink(b.run, b.episode)}>The second</a>
      </p>
    </section>
  );
}

interface ComparingProps {
  a: Episode;
  b: Episode;
  root: Parameters<typeof relation>[0];
  step: number | null;
}

function indexAt(steps: Aligned[], step: number | null): number {
  return step === null ? 0 : Math.max(0, steps.findLastIndex((each) => each.step <= step));
}

function Comparing({ a, b, root, step }: ComparingProps) {
  const steps = useMemo(() => aligned(a, b), [a, b]);
  const both = useMemo(() => together(a, steps), [a, steps]);
  const related = useMemo(() => relation(root, a, b), [root, a, b]);
  const [index, setIndex] = useState(() => indexAt(steps, step ?? related.parts));
  useEffect(() => {
    if (step !== null) setIndex(indexAt(steps, step));
  }, [step]);
  const playing = usePlaying(index, steps.length, setIndex);
  const now = steps[index];
  useEffect(() => {
    const told = setTimeout(() => noteAddress(compareLink(a.run, a.episode, b.run, b.episode, now?.step)), SETTLING);
    return () => clearTimeout(told);
  }, [index]);
  const seek = (to: number) => {
    playing.seek(indexAt(steps, to));
    // what is shown at that step stands above
    document.querySelector(".compare .timeline")?.scrollIntoView({ block: "nearest" });
  };
  if (!now) return <p class="state">Nobody was asked anything in either episode.</p>;
  return (
    <div class="compare">
      <header class="heading">
        <a class="back" href={episodeLink(a.run, a.episode, now.step)}>
          ← Episode A
        </a>
        <h1>
          Two episodes of <Text most={60}>{a.env}</Text>
        </h1>
        <p class="muted">
          {related.parts === null ? "Neither is a branch of the other, nor do both come from one episode: more than one thing may be another in them." : `They are one episode up to step ${related.parts}; from there on they were played apart.`}
        </p>
      </header>
      <p class="actions">
        <a href={compareLink(b.run, b.episode, a.run, a.episode, now.step)}>Swap the sides</a>
        <Share episode={a} other={b} />
      </p>
      <Timeline episode={both} index={index} playing={playing} />
      <Picture name={`${a.env}-${a.episode}-${b.episode}-step-${now.step}`} label={`Both episodes of ${a.env}, step ${now.step}`} caption={[named("A", a, now.step), named("B", b, now.step)]}>
        <div class="two">
          <Side letter="A" episode={a} step={now.step} changes={related.a} />
          <Side letter="B" episode={b} step={now.step} changes={related.b} />
        </div>
      </Picture>
      <Guard at={`${index}`} failed="The decisions of this step could not be shown">
        <Decisions now={now} a={a} b={b} related={related} />
      </Guard>
      <Guard at={`${a.episode} ${b.episode}`} failed="What differed could not be worked out">
        <Differed a={a} b={b} steps={steps} related={related} onStep={seek} at={now.step} />
      </Guard>
    </div>
  );
}

function named(letter: string, episode: Episode, step: number): string {
  return `${letter}: ${episode.env}, step ${step} of episode ${episode.episode} of run ${episode.run_name}.`;
}

interface SideProps {
  letter: string;
  episode: Episode;
  step: number;
  changes: { step: number; changes: Episode["outcome"] }[];
}

function Side({ letter, episode, step, changes }: SideProps) {
  const index = Math.max(0, episode.steps.findLastIndex((each) => each.step <= step));
  const shown = episode.steps[index];
  const last = episode.steps.at(-1)?.step ?? 0;
  return (
    <section class="side" aria-label={`Episode ${letter}`}>
      <h2>
        <span class="letter">{letter}</span>{" "}
        <a href={episodeLink(episode.run, episode.episode, shown?.step)}>
          <Text most={80}>{episode.run_name}</Text>
        </a>
      </h2>
      <ul class="muted small-text side-changes">
        {changes.length === 0 && <li>{episode.parent ? <>a branch, seed {episode.seed}</> : <>seed {episode.seed}</>}</li>}
        {changes.map((each) => (
          <li key={each.step}>
            from step {each.step}: <Text most={300}>{changesOnOneLine(each.changes)}</Text>
          </li>
        ))}
      </ul>
      {step > last && <p class="note">It ended with step {last}, which is shown.</p>}
      {step <= last && shown?.step !== step && <p class="note">Nobody was asked at step {step}: step {shown?.step} is shown.</p>}
      <div class="side-scene" tabIndex={0} role="group" aria-label={`Scene of ${letter}`}>
        {shown && <Stage episode={episode} step={index} role={shown.moments[0]?.role ?? ""} />}
      </div>
    </section>
  );
}
