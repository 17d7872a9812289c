// Where the viewer is: all of it stands in the hash, so that every place is a link and nothing of it reaches a server.
import { useEffect, useState } from "preact/hooks";

/** A place in an episode; without a step its beginning, without a role whoever decides. */
export interface Moment {
  run: string;
  episode: string;
  step: number | null;
  role: string | null;
}

export type Route =
  | { page: "find"; query: URLSearchParams }
  | { page: "graph"; query: URLSearchParams }
  | { page: "part"; query: URLSearchParams }
  | { page: "judged" }
  | { page: "play"; id: string }
  | (Moment & { page: "episode" | "branch" | "blind" })
  | { page: "compare"; run: string; episode: string; other: { run: string; episode: string }; step: number | null }
  | { page: "missing"; path: string };

export function routeOf(hash: string): Route {
  const whole = hash.replace(/^#/, "");
  const cut = whole.indexOf("?");
  const path = cut < 0 ? whole : whole.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? "" : whole.slice(cut + 1));
  if (path === "" || path === "/") return { page: "find", query };
  const [, first, ...parts] = path.split("/");
  return routed(first ?? "", parts.map(plain), query) ?? { page: "missing", path };
}

function routed(first: string, parts: string[], query: URLSearchParams): Route | null {
  const [run, episode, otherRun, otherEpisode] = parts;
  const step = wholeNumber(query.get("step"));
  if (parts.some((part) => part === "")) return null;
  if (parts.length === 0 && first === "graph") return { page: "graph", query };
  if (parts.length === 0 && first === "part") return { page: "part", query };
  if (parts.length === 0 && first === "judged") return { page: "judged" };
  if (parts.length === 1 && first === "play" && run) return { page: "play", id: run };
  if (parts.length === 2 && run && episode && isOfMoment(first)) return { page: first, run, episode, step, role: query.get("role") };
  if (parts.length === 4 && run && episode && otherRun && otherEpisode && first === "compare") {
    return { page: "compare", run, episode, other: { run: otherRun, episode: otherEpisode }, step };
  }
  return null;
}

function isOfMoment(first: string): first is "episode" | "branch" | "blind" {
  return first === "episode" || first === "branch" || first === "blind";
}

export function findLink(query: URLSearchParams): string {
  return linked([], query);
}

/** The value graph of a selection: the filters of the list, and what the page itself asks (`by`, ...). */
export function graphLink(query: URLSearchParams): string {
  return linked(["graph"], query);
}

export function playLink(id: string): string {
  return linked(["play", id]);
}

export function compareLink(run: string, episode: string, otherRun: string, otherEpisode: string, step?: number | null): string {
  return linked(["compare", run, episode, otherRun, otherEpisode], momentQuery(step));
}

export function episodeLink(run: string, episode: string, step?: number | null, role?: string | null): string {
  return linked(["episode", run, episode], momentQuery(step, role));
}

export function branchLink(run: string, episode: string, step?: number | null, role?: string | null): string {
  return linked(["branch", run, episode], momentQuery(step, role));
}

export function blindLink(run: string, episode: string, step?: number | null, role?: string | null): string {
  return linked(["blind", run, episode], momentQuery(step, role));
}

function momentQuery(step?: number | null, role?: string | null): URLSearchParams {
  const query = new URLSearchParams();
  if (step !== undefined && step !== null) query.set("step", String(step));
  if (role) query.set("role", role);
  return query;
}

function linked(parts: string[], query = new URLSearchParams()): string {
  const told = query.toString();
  const path = `#/${parts.map(encodeURIComponent).join("/")}`;
  return told ? `${path}?${told}` : path;
}

/** Go to `hash`; `replace` leaves no entry in the history. */
export function go(hash: string, replace = false): void {
  if (hash === location.hash || (hash === "#/" && location.hash === "")) return;
  if (!replace) {
    location.hash = hash;
    return;
  }
  history.replaceState(history.state, "", hash);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/**
 * Write `hash` into the address alone: the page that is shown says already what it says. A page that was left a moment
 * ago, whose timers may yet run, must not write over that of the next one.
 */
export function noteAddress(hash: string): void {
  if (hash !== location.hash && pathOf(hash) === pathOf(location.hash)) history.replaceState(history.state, "", hash);
}

function pathOf(hash: string): string {
  return plain(hash.split("?")[0] ?? "");
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  return routeOf(hash);
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function wholeNumber(given: string | null): number | null {
  return given !== null && /^\d{1,9}$/.test(given) ? Number(given) : null;
}
