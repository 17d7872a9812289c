// What is asked of the server. The token of the page's own address goes with every question.
import { useEffect, useState } from "preact/hooks";
import { isShared, sharedAnswer, sharedPicture } from "./shared";
import type { About, Episode, Episodes, Facets } from "./types";

const UNANSWERED = "The viewer's server does not answer: is `valuesim replay` still running?";

export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** The run is being read, as the server says: who asks again a moment later is answered. */
export const NOT_YET = 503;
export const NOT_YET_MS = 1_000;

function token(): string | null {
  return new URLSearchParams(location.search).get("token");
}

/** Return the address of what can have no headers (pictures, events): the token stands in it. */
function pictured(path: string): string {
  const own = token();
  return own === null ? path : `${path}${path.includes("?") ? "&" : "?"}token=${encodeURIComponent(own)}`;
}

export function depictionOf(run: string, episode: string, step: number, role: string): string {
  if (isShared) return sharedPicture(run, episode, step, role);
  const parts = [run, episode, String(step), role].map(encodeURIComponent);
  return pictured(`/api/depiction/${parts.join("/")}`);
}

/** Ask for what stands at `path`; raise Refused, with the sentence to show, where it is not answered. */
export function asked<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return answered<Answer>(path, { signal: signal ?? null });
}

/** Have something done: started, answered, stopped. */
export function posted<Answer>(path: string, content: unknown, signal?: AbortSignal): Promise<Answer> {
  const headers = { "Content-Type": "application/json" };
  return answered<Answer>(path, { method: "POST", body: JSON.stringify(content), headers, signal: signal ?? null });
}

/** Have something done while the page is left, which waits for no answer; what is sent is short. */
export function leaving(path: string): void {
  const request = { method: "POST", body: "{}", headers: { "Content-Type": "application/json" }, keepalive: true };
  answered<unknown>(path, request).catch(() => undefined);
}

/**
 * Follow the events at `path` until what is returned is called; `onEvent` gets the name and content of each, `onLost`
 * whether the browser has given up trying again.
 */
export function followed(path: string, names: string[], onEvent: (name: string, content: unknown) => void, onLost?: (isOver: boolean) => void): () => void {
  if (isShared) return () => undefined;
  const events = new EventSource(pictured(path));
  for (const name of names) events.addEventListener(name, (event) => onEvent(name, JSON.parse((event as MessageEvent<string>).data)));
  if (onLost) events.onerror = () => onLost(events.readyState === EventSource.CLOSED);
  return () => events.close();
}

async function answered<Answer>(path: string, request: RequestInit): Promise<Answer> {
  if (isShared) return sharedOr<Answer>(path, request.method);
  let answer: Response;
  const own = token();
  const signal = request.signal;
  try {
    answer = await fetch(path, { ...request, headers: { ...request.headers, ...(own === null ? {} : { "X-Valuesim-Token": own }) } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(UNANSWERED, 0);
  }
  const told: unknown = await answer.json().catch(() => null);
  if (answer.ok && told !== null) return told as Answer;
  throw new Refused(sentenceIn(told) ?? `The server answered ${answer.status} ${answer.statusText}.`, answer.status);
}

function sharedOr<Answer>(path: string, method = "GET"): Answer {
  const found = method === "GET" ? sharedAnswer(path) : undefined;
  if (found === undefined) throw new Refused("This file holds what was shared, and no viewer that could be asked for more.", 404);
  return found as Answer;
}

function sentenceIn(told: unknown): string | null {
  const error = typeof told === "object" && told !== null && "error" in told ? told.error : null;
  return typeof error === "string" ? error : null;
}

const about = (signal?: AbortSignal) => asked<About>("/api/about", signal);
export const facets = (signal?: AbortSignal) => asked<Facets>("/api/facets", signal);
export const episodes = (query: string, signal?: AbortSignal) => asked<Episodes>(`/api/episodes?${query}`, signal);
export const episode = (run: string, id: string, signal?: AbortSignal) =>
  asked<Episode>(`/api/episodes/${encodeURIComponent(run)}/${encodeURIComponent(id)}`, signal).then(known);

/** What is not known before an episode is finished is null: nothing then, for those who draw it. */
function known(episode: Episode): Episode {
  if (episode.live === undefined) return episode;
  return { ...episode, env: episode.env ?? "not known yet", condition: episode.condition ?? {}, population: episode.population ?? {} };
}

export interface Asked<Answer> {
  answer: Answer | null;
  error: Refused | null;
  /** Whether what is shown answers an earlier question, or nothing yet. */
  isWaiting: boolean;
}

/** Return the bytes at `path` and the name under which the server would have them saved. */
export async function saved(path: string): Promise<{ content: Blob; name: string }> {
  const own = token();
  const answer = await fetch(path, { headers: own === null ? {} : { "X-Valuesim-Token": own } }).catch(() => null);
  if (answer === null) throw new Refused(UNANSWERED, 0);
  if (!answer.ok) throw new Refused(sentenceIn(await answer.json().catch(() => null)) ?? `The server answered ${answer.status}.`, answer.status);
  const named = /filename="([\w.-]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  return { content: await answer.blob(), name: named?.[1] ?? "valuesim.html" };
}

/**
 * Ask again whenever `key` or `edition` changes, and while a run is being read; the last answer stays until the next one
 * is there.
 */
export function useAnswer<Answer>(key: string, ask: (signal: AbortSignal) => Promise<Answer>, edition = ""): Asked<Answer> {
  const [state, setState] = useState<{ answer: Answer | null; error: Refused | null; key: string | null }>({ answer: null, error: null, key: null });
  useEffect(() => {
    const stop = new AbortController();
    let next = 0;
    const again = () =>
      ask(stop.signal).then(
        (answer) => stop.signal.aborted || setState({ answer, error: null, key }),
        (error: unknown) => {
          if (stop.signal.aborted) return;
          const told = refused(error);
          setState({ answer: null, error: told, key });
          if (told.status === NOT_YET) next = setTimeout(again, NOT_YET_MS);
        },
      );
    void again();
    return () => {
      stop.abort();
      clearTimeout(next);
    };
  }, [key, edition]);
  return { answer: state.answer, error: state.error, isWaiting: state.key !== key };
}

const BUSY_MS = 1_500;
const QUIET_MS = 10_000;

/** What is being shown, asked again and again: soon while runs are read, seldom else, never where nobody looks. */
export function useAbout(): About | null {
  const [told, setTold] = useState<About | null>(null);
  useEffect(() => {
    if (isShared) return undefined;
    const stop = new AbortController();
    let next = 0;
    const again = async () => {
      let wait = QUIET_MS;
      if (document.visibilityState === "visible") {
        const found = await about(stop.signal).catch(() => null);
        if (stop.signal.aborted) return;
        if (found) setTold(found);
        if (found && (found.reading || found.pending)) wait = BUSY_MS;
      }
      next = setTimeout(again, wait);
    };
    void again();
    return () => {
      stop.abort();
      clearTimeout(next);
    };
  }, []);
  return told;
}

function refused(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(String(error), 0);
}
