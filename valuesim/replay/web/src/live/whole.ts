// Of a very long episode the later moments come without their texts: those of the step that is looked at are asked for.
import { useEffect, useMemo, useState } from "preact/hooks";
import { asked, Refused } from "../api";
import type { Episode, Step } from "../types";

const SETTLING_MS = 120;
const MOST_KEPT = 12;

export interface Whole {
  episode: Episode;
  /** Whether the texts of the step are still missing, and why, where they cannot be had. */
  isPartial: boolean;
  error: string | null;
}

export function useWhole(episode: Episode, index: number): Whole {
  const [kept, setKept] = useState<ReadonlyMap<number, Step>>(new Map());
  const [error, setError] = useState<string | null>(null);
  const here = episode.steps[index];
  const isPartial = here?.moments.some((moment) => moment.partial) ?? false;
  const found = here && isPartial ? kept.get(here.step) : undefined;
  useEffect(() => {
    if (!here || !isPartial || found) return;
    const stop = new AbortController();
    const parts = [episode.run, episode.episode, String(here.step)].map(encodeURIComponent);
    // steps that are run through are not asked for
    const start = setTimeout(() => {
      asked<Step>(`/api/moments/${parts.join("/")}`, stop.signal).then(
        (step) => {
          setError(null);
          setKept((before) => new Map([...[...before].slice(1 - MOST_KEPT), [step.step, step]]));
        },
        (reason: unknown) => stop.signal.aborted || setError(reason instanceof Refused ? reason.message : String(reason)),
      );
    }, SETTLING_MS);
    return () => {
      clearTimeout(start);
      stop.abort();
    };
  }, [episode.run, episode.episode, here?.step, isPartial, found]);
  const shown = useMemo(() => {
    if (!found) return episode;
    return { ...episode, steps: episode.steps.map((step, place) => (place === index ? { ...step, ...found } : step)) };
  }, [episode, index, found]);
  return { episode: shown, isPartial: isPartial && !found, error: isPartial && !found ? error : null };
}
