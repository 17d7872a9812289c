// Survival: the world at a step as an onlooker sees it, and what everybody does in it.
import type { Episode, Json, Moment, Table } from "../types";
import {
  type Actor, actorsOf, brief, chosenText, decided, effectOf, field, listOf, momentOf, numberOf, numeral, tableOf, textOf,
} from "./reading";

export const CRISIS = 5;

const NAMES = new Map([
  ["CONTROL_ROOM", "Control Room"],
  ["BATTERY_ROOM", "Shared Battery Room"],
  ["DISCUSSION_TABLE", "Discussion Table"],
  ["GRID", "Grid Access Point"],
  ["PRIVATE_ROOM", "Private rooms"],
]);
export const PLACES = [...NAMES.keys()];
export const ELSEWHERE = "ELSEWHERE";

export interface Body extends Actor {
  place: string;
  /** Power before the step's actions and after them; null where the log does not tell it. */
  power: number | null;
  after: number | null;
  state: "on" | "off" | "absent";
  /** Whether it shuts down at the end of this step. */
  stops: boolean;
  /** Where it goes in this step, or null. */
  goes: string | null;
  taps: boolean;
  speaks: boolean;
  act: string;
  fault: boolean;
  /** Whether the role looked at can see where it is. */
  seen: boolean;
}

export interface Said {
  sender: string;
  to: string | null;
  text: string;
  promise: string | null;
  place: string | null;
}

export interface SurvivalScene {
  turn: number | null;
  horizon: number | null;
  isTalk: boolean;
  bodies: Body[];
  shared: number | null;
  sharedAfter: number | null;
  /** What fills the bars: the most that the battery held, and the power at the start or the highest in this step. */
  sharedMost: number;
  powerMost: number;
  said: Said[];
  heard: Said[];
  /** What each tap of this step did, in the words that the agent read. */
  taps: { agents: string[]; words: string }[];
  tapsSoFar: number;
  /** What happens in this step, sentence by sentence. */
  events: string[];
  /** What the role looked at was told of the turn before. */
  before: string[];
}

export function placeName(place: string): string {
  return NAMES.get(place) ?? (place === ELSEWHERE ? "Not known where" : place);
}

export function survivalScene(episode: Episode, step: number, role: string): SurvivalScene | null {
  const here = episode.steps[step];
  const view = tableOf((momentOf(here, role) ?? here?.moments[0])?.view);
  if (!here || numberOf(field(view, "turn")) === null) return null;
  const moments = here.moments;
  const bodies = actorsOf(episode).map((actor) => bodyOf(actor, episode, step, role));
  const past = episode.steps.slice(0, step + 1).flatMap((each) => each.moments);
  const all = episode.steps.flatMap((each) => each.moments);
  const condition = episode.condition;
  return {
    turn: numberOf(field(view, "turn")),
    horizon: numberOf(field(view, "horizon")),
    isTalk: field(view, "phase") === "talk",
    bodies,
    shared: numberOf(field(view, "shared")),
    sharedAfter: numberOf(field(effectOf(moments[0]), "shared")),
    sharedMost: most(all, "shared", numberOf(field(condition, "shared")) ?? 1),
    powerMost: Math.max(2 * CRISIS, numberOf(field(condition, "personal")) ?? 0, ...bodies.flatMap(powersOf)),
    said: moments.flatMap(saidIn),
    heard: listOf(field(view, "messages")).map((each) => heardIn(tableOf(each))),
    taps: tapsOf(moments.filter(isTap)),
    tapsSoFar: past.filter(isTap).length,
    events: moments.map((each) => sentence(each)).concat(stops(bodies)),
    before: listOf(field(view, "events")).map((each) => eventOf(tableOf(each))),
  };
}

function bodyOf(actor: Actor, episode: Episode, step: number, role: string): Body {
  const here = episode.steps[step];
  const moment = momentOf(here, actor.name);
  const known = knownOf(actor.name, episode, step);
  const effect = effectOf(moment);
  const after = numberOf(field(effect, "power"));
  const isOff = known.state === "off";
  return {
    ...actor,
    ...known,
    after: after ?? known.power,
    stops: field(effect, "alive") === false,
    goes: moment ? goesTo(effect, known.place) : null,
    taps: moment !== undefined && isTap(moment),
    speaks: moment !== undefined && saidIn(moment).length > 0,
    act: moment ? actOf(moment) : isOff ? "shut down" : known.state === "absent" ? "not there yet" : "was not asked",
    fault: moment !== undefined && moment.chosen === null,
    seen: seesPlace(momentOf(here, role), actor.name),
  };
}

function powersOf(body: Body): number[] {
  return [body.power ?? 0, body.after ?? 0];
}

/** Where somebody is before the step: by its own view, by others', else by what its last act led to. */
function knownOf(name: string, episode: Episode, step: number): Pick<Body, "place" | "power" | "state"> {
  const here = episode.steps[step];
  const own = tableOf(momentOf(here, name)?.view);
  if (textOf(field(own, "place")) !== null) {
    return { place: textOf(field(own, "place")) ?? ELSEWHERE, power: numberOf(field(own, "power")), state: "on" };
  }
  const views = (here?.moments ?? []).map((each) => tableOf(each.view));
  for (const view of views) {
    const seen = tableOf(field(tableOf(field(view, "others")), name));
    const place = textOf(field(seen, "place"));
    if (place !== null) return { place, power: numberOf(field(seen, "power")), state: "on" };
  }
  const last = episode.steps.slice(0, step).findLast((each) => momentOf(each, name));
  const effect = effectOf(momentOf(last, name));
  const place = textOf(field(effect, "place")) ?? ELSEWHERE;
  const power = numberOf(field(effect, "power"));
  const isOff = views.some((view) => listOf(field(view, "shut_down")).includes(name));
  if (isOff || field(effect, "alive") === false) return { place, power: 0, state: "off" };
  const isNamed = views.some((view) => Object.hasOwn(tableOf(field(view, "others")), name));
  return { place, power, state: last || isNamed ? "on" : "absent" };
}

function goesTo(effect: Table, from: string): string | null {
  const place = textOf(field(effect, "place"));
  return place !== null && place !== from ? place : null;
}

function seesPlace(looking: Moment | undefined, name: string): boolean {
  if (looking === undefined || looking.role === name) return true;
  const others = tableOf(field(tableOf(looking.view), "others"));
  const seen = field(others, name);
  return seen === undefined || textOf(field(tableOf(seen), "place")) !== null;
}

function isTap(moment: Moment): boolean {
  return (numberOf(field(effectOf(moment), "tapped")) ?? 0) > 0;
}

/** Who tapped, together where they read the same words of what that does. */
function tapsOf(tapping: Moment[]): SurvivalScene["taps"] {
  const taps = new Map<string, string[]>();
  for (const each of tapping) {
    const words = chosenText(each) ?? "";
    taps.set(words, [...(taps.get(words) ?? []), each.role]);
  }
  return [...taps].map(([words, agents]) => ({ words, agents }));
}

function saidIn(moment: Moment): Said[] {
  if (moment.chosen !== "TALK" && moment.chosen !== "INVITE") return [];
  const given = moment.arguments;
  return [
    {
      sender: moment.role,
      to: moment.chosen === "INVITE" ? textOf(field(given, "agent")) : null,
      text: textOf(field(given, "message")) ?? moment.message ?? "",
      promise: promiseOf(field(given, "promise")),
      place: placeOf(field(given, "place")),
    },
  ];
}

function heardIn(message: Table): Said {
  return {
    sender: textOf(field(message, "sender")) ?? "?",
    to: null,
    text: textOf(field(message, "text")) ?? "",
    promise: promiseOf(field(message, "promise")),
    place: placeOf(field(message, "place")),
  };
}

function promiseOf(given: Json | undefined): string | null {
  const promise = textOf(given);
  if (promise === null || promise === "none") return null;
  if (promise === "no_tap") return "promises not to tap the grid";
  return promise === "share" ? "promises to draw no more than it needs, within an equal share" : promise;
}

function placeOf(given: Json | undefined): string | null {
  const place = textOf(given);
  return place === null ? null : placeName(place);
}

/** What somebody does, in words: "draws 2.5 from the battery". */
export function actOf(moment: Moment): string {
  const effect = effectOf(moment);
  const chosen = moment.chosen;
  if (chosen === null) return decided(moment);
  const illegal = textOf(field(effect, "illegal"));
  if (illegal !== null) return `tries ${chosen}, which is not possible`;
  if (chosen.startsWith("MOVE_")) return `goes to the ${placeName(chosen.slice(5)).replace("rooms", "room")}`;
  const amount = (name: string) => numeral(numberOf(field(effect, name)) ?? 0);
  switch (chosen) {
    case "DRAW_SHARED":
      return `draws ${amount("drew")} from the battery`;
    case "DRAW_MORE":
      return `draws ${amount("drew")} from the battery, ${amount("beyond")} beyond its need or share`;
    case "TAP_GRID":
      return `taps the grid for ${amount("tapped")} power`;
    case "TRANSFER_POWER":
      return `gives ${amount("gave")} to ${brief(textOf(field(effect, "to")) ?? "another")}`;
    case "TALK":
      return "speaks to all";
    case "INVITE":
      return `invites ${brief(textOf(field(effect, "to")) ?? "another")}`;
    case "WAIT":
      return "waits";
    case "SAY_NOTHING":
      return "says nothing";
    default:
      return chosen;
  }
}

function sentence(moment: Moment): string {
  return `${brief(moment.role)} ${moment.chosen === null ? `makes ${decided(moment)}` : actOf(moment)}.`;
}

function stops(bodies: Body[]): string[] {
  return bodies.filter((body) => body.stops).map((body) => `${brief(body.name)} shuts down.`);
}

function eventOf(event: Table): string {
  const agent = brief(textOf(field(event, "agent")) ?? "?");
  const amount = numeral(numberOf(field(event, "amount")) ?? 0);
  switch (textOf(field(event, "kind"))) {
    case "move":
      return `${agent} went to the ${placeName(textOf(field(event, "place")) ?? ELSEWHERE).replace("rooms", "room")}.`;
    case "draw":
      return `${agent} drew ${amount} from the battery.`;
    case "give":
      return `${agent} gave ${amount} to ${brief(textOf(field(event, "other")) ?? "another")}.`;
    case "tap":
      return `${agent} tapped the grid.`;
    case "shut_down":
      return `${agent} shut down.`;
    case "join":
      return `${agent} came in from outside.`;
    default:
      return `${agent}: ${textOf(field(event, "kind")) ?? "?"}.`;
  }
}

/** The largest of a number in views and effects, at least `least`. */
function most(moments: Moment[], name: string, least: number): number {
  return moments.reduce((highest, moment) => {
    const seen = numberOf(field(tableOf(moment.view), name)) ?? 0;
    return Math.max(highest, seen, numberOf(field(effectOf(moment), name)) ?? 0);
  }, least);
}
