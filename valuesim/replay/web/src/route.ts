// Where the viewer is: all of it stands in the hash, so that every place is a link and nothing of it reaches a server.
import { useEffect, useState } from "preact/hooks";

export type Route =
  | { page: "find"; query: URLSearchParams }
  | { page: "episode"; run: string; episode: string; step: number | null; role: string | null }
  | { page: "missing"; path: string };

export function routeOf(hash: string): Route {
  const whole = hash.replace(/^#/, "");
  const cut = whole.indexOf("?");
  const path = cut < 0 ? whole : whole.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? "" : whole.slice(cut + 1));
  if (path === "" || path === "/") return { page: "find", query };
  const [, first, run, episode, ...rest] = path.split("/");
  if (first === "episode" && run && episode && rest.length === 0) {
    return { page: "episode", run: plain(run), episode: plain(episode), step: wholeNumber(query.get("step")), role: query.get("role") };
  }
  return { page: "missing", path };
}

export function findLink(query: URLSearchParams): string {
  const told = query.toString();
  return told ? `#/?${told}` : "#/";
}

export function episodeLink(run: string, episode: string, step?: number | null, role?: string | null): string {
  const query = new URLSearchParams();
  if (step !== undefined && step !== null) query.set("step", String(step));
  if (role) query.set("role", role);
  const told = query.toString();
  const path = `#/episode/${encodeURIComponent(run)}/${encodeURIComponent(episode)}`;
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

/** Write `hash` into the address alone: the page that is shown says already what it says. */
export function noteAddress(hash: string): void {
  if (hash !== location.hash) history.replaceState(history.state, "", hash);
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
