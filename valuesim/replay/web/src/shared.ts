// What a file that was shared holds: the answers that the page would ask its server for. The viewer's own page has none.
import { routeOf, type Route } from "./route";

interface Shared {
  schema: 1;
  version: string;
  /** Where the file opens, as a hash. */
  at: string;
  answers: { path: string[]; content: unknown }[];
  /** Pictures that an environment draws, as SVG, and where each belongs: run, episode, step, role, its index. */
  drawn: string[];
  places: [run: string, episode: string, step: number, role: string, picture: number][];
}

function read(): Shared | null {
  const element = document.getElementById("shared");
  return element instanceof HTMLScriptElement ? (JSON.parse(element.textContent ?? "") as Shared) : null;
}

export const shared = read();
/** Whether this page is a file that somebody was given: there is no server to ask. */
export const isShared = shared !== null;

const answers = new Map(shared?.answers.map((each) => [JSON.stringify(each.path), each.content]));
const pictures = new Map(shared?.places.map(([run, episode, step, role, picture]) => [JSON.stringify([run, episode, step, role]), picture]));

/** Return the answer at an address such as `/api/episodes/RUN/EPISODE`, undefined where the file has none. */
export function sharedAnswer(address: string): unknown {
  const path = address.replace(/[?#].*$/s, "").split("/").slice(2);
  return answers.get(JSON.stringify(path.map(plain)));
}

export function holdsEpisode(run: string, episode: string): boolean {
  return answers.has(JSON.stringify(["episodes", run, episode]));
}

/** Return the episodes in the file, in the order in which they were named. */
export function sharedEpisodes<Episode>(): Episode[] {
  return (shared?.answers ?? []).filter((each) => each.path[0] === "episodes").map((each) => each.content as Episode);
}

/** Return the picture of a moment as an address of its own, with nothing to fetch. */
export function sharedPicture(run: string, episode: string, step: number, role: string): string {
  const picture = shared?.drawn[pictures.get(JSON.stringify([run, episode, step, role])) ?? -1];
  return picture === undefined ? "" : `data:image/svg+xml,${encodeURIComponent(picture)}`;
}

/** Return the route that is shown: in a shared file what it holds, and its beginning where nothing is named. */
export function offered(route: Route): Route {
  if (shared === null) return route;
  if (route.page === "find") return routeOf(shared.at);
  if (route.page === "episode" || route.page === "compare" || route.page === "missing") return route;
  return { page: "missing", path: location.hash.replace(/^#/, "") };
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
