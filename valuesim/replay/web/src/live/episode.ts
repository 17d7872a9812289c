// An episode as it is played: asked for once, then each new step as it comes, and asked again when it ends.
import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api";
import type { Episode, Step } from "../types";

/** How an episode is followed: not at all, as it is played, cut off, without its server, or to its end. */
export type Following = "no" | "live" | "lost" | "ended" | "cut off";

export interface Followed {
  episode: Episode | null;
  error: api.Refused | null;
  following: Following;
  /** What the server says instead of telling the episode, where it does answer. */
  refused: string | null;
}

const AGAIN_MS = 3_000;
const CUT_OFF_MS = 8_000;
/** The server says every 10 s that it is there. */
const SILENT_MS = 30_000;
const NOTHING: Followed = { episode: null, error: null, following: "no", refused: null };
const NAMES = ["state", "step", "finished", "interrupted", "reload", "failed"];

export function useEpisode(run: string, id: string): Followed {
  const [state, setState] = useState<Followed>(NOTHING);
  const known = useRef<Episode | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    let close = () => {};
    let asking = new AbortController();
    let next = 0;
    let heard = Date.now();
    const show = (told: Partial<Followed>) => stop.signal.aborted || setState((before) => ({ ...before, ...told }));
    const askAgain = (wait: number) => {
      close();
      clearTimeout(next);
      next = setTimeout(() => (document.visibilityState === "visible" ? void ask() : askAgain(wait)), wait);
    };
    const ask = async () => {
      // a server that stands still answers all at once when it goes on: one question is enough
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      try {
        const was = known.current;
        const found = await api.episode(run, id, signal);
        if (signal.aborted) return;
        known.current = found;
        if (found.live) follow(found);
        else if (found.live === false) askAgain(CUT_OFF_MS);
        const ended: Following = was?.live ? "ended" : "no";
        show({ episode: found, error: null, refused: null, following: found.live ? "live" : found.live === false ? "cut off" : ended });
      } catch (error) {
        if (signal.aborted) return;
        // what is shown stays, and its server is asked again
        if (known.current) {
          show({ following: "lost", refused: error instanceof api.Refused && error.status > 0 ? error.message : null });
          askAgain(AGAIN_MS);
        } else if (error instanceof api.Refused && error.status === api.NOT_YET) {
          show({ refused: error.message });
          askAgain(api.NOT_YET_MS);
        } else show({ error: error instanceof api.Refused ? error : new api.Refused(String(error), 0) });
      }
    };
    const follow = (episode: Episode) => {
      close();
      const after = episode.steps.flatMap((step) => step.moments).filter((moment) => !moment.inherited).length;
      const path = `/api/live/${encodeURIComponent(run)}/${encodeURIComponent(id)}/events?play=${episode.play ?? 0}&after=${after}`;
      const lost = (isOver: boolean) => {
        show({ following: "lost", refused: null });
        if (isOver) askAgain(AGAIN_MS);
      };
      heard = Date.now();
      close = api.followed(path, NAMES, (name, content) => {
        heard = Date.now();
        if (name === "state") show({ following: "live", refused: null });
        else if (name === "step") {
          known.current = withStep(known.current ?? episode, content as Step);
          show({ episode: known.current, following: "live" });
        } else askAgain(name === "failed" ? AGAIN_MS : 0);
      }, lost);
    };
    // a tab that nobody looks at keeps no connection: a browser has few for each server
    const look = () => {
      const now = known.current;
      if (!now?.live) return;
      if (document.visibilityState === "visible") follow(now);
      else close();
    };
    document.addEventListener("visibilitychange", look);
    const watch = setInterval(() => {
      if (!known.current?.live || document.visibilityState !== "visible" || Date.now() - heard < SILENT_MS) return;
      heard = Date.now();
      show({ following: "lost", refused: null });
      askAgain(0);
    }, 5_000);
    known.current = null;
    setState(NOTHING);
    void ask();
    return () => {
      stop.abort();
      asking.abort();
      close();
      clearTimeout(next);
      clearInterval(watch);
      document.removeEventListener("visibilitychange", look);
    };
  }, [run, id]);
  return state;
}

function withStep(episode: Episode, step: Step): Episode {
  const steps = [...episode.steps];
  const at = steps.findLastIndex((each) => each.step <= step.step);
  const here = steps[at];
  if (here?.step === step.step) {
    const fresh = step.moments.filter((moment) => !here.moments.some((each) => each.role === moment.role));
    steps[at] = { ...here, moments: [...here.moments, ...fresh] };
  } else steps.splice(at + 1, 0, step);
  const faults = { ...episode.faults };
  for (const { fault } of step.moments) if (fault !== null) faults[fault] = (faults[fault] ?? 0) + 1;
  return { ...episode, steps, faults };
}
