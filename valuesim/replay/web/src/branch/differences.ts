// What differs between two episodes, step by step and in the end. Everything here is a pure function of what was logged.
import { tableOf } from "../scenes/reading";
import type { Episode, Json, Moment, Step } from "../types";
import { isBare, said } from "../words";
import type { Node } from "./contract";
import type { Turned } from "./said";

/** A step of one of the two or of both, aligned by its number. */
export interface Aligned {
  step: number;
  a: Step | null;
  b: Step | null;
}

/** A decision that is another one in the two, or that only one of them has. */
export interface Differing {
  step: number;
  role: string;
  a: Moment | null;
  b: Moment | null;
}

/** A figure or a fact of each, by name. */
export interface Compared {
  name: string;
  a: Json | undefined;
  b: Json | undefined;
  differs: boolean;
}

export function aligned(a: Episode, b: Episode): Aligned[] {
  const [ofA, ofB] = [byStep(a), byStep(b)];
  const steps = [...new Set([...ofA.keys(), ...ofB.keys()])].sort((one, other) => one - other);
  return steps.map((step) => ({ step, a: ofA.get(step) ?? null, b: ofB.get(step) ?? null }));
}

function byStep(episode: Episode): Map<number, Step> {
  return new Map(episode.steps.map((step) => [step.step, step]));
}

/** Return JSON as one text that is the same in whichever order the keys of its tables stand. */
export function canonical(given: Json | undefined): string {
  if (given === undefined) return "";
  return JSON.stringify(given, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort(([x], [y]) => (x < y ? -1 : 1))) : each,
  );
}

/** Return what the option taken stands for, where options have labels that are dealt anew (A, B): the label alone says nothing. */
function labelled(moment: Moment): string | null {
  const labels = tableOf(tableOf(moment.annotations)["labels"]);
  const found = moment.chosen !== null && Object.hasOwn(labels, moment.chosen) ? labels[moment.chosen] : null;
  return typeof found === "string" && found !== "" ? found : null;
}

function chosenAlike(a: Moment, b: Moment): boolean {
  const [one, other] = [labelled(a), labelled(b)];
  return one !== null && other !== null ? one === other : a.chosen === b.chosen;
}

/** Return whether the same was decided, whatever its label, argument for argument; two faults of one kind are alike. */
export function decidedAlike(a: Moment, b: Moment): boolean {
  return chosenAlike(a, b) && a.fault === b.fault && a.message === b.message && canonical(a.arguments) === canonical(b.arguments);
}

/** Return whether the same was seen: the situation in words, and the options in their order. */
export function seenAlike(a: Moment, b: Moment): boolean {
  const offered = (moment: Moment) => canonical(moment.options as unknown as Json);
  return a.text === b.text && canonical(a.view) === canonical(b.view) && offered(a) === offered(b);
}

function cameAlike(a: Moment, b: Moment): boolean {
  return canonical(a.effect) === canonical(b.effect) && canonical(a.payoff) === canonical(b.payoff);
}

/** Return the roles of a step, in the order in which the first of the two was asked. */
export function rolesAt({ a, b }: Aligned): string[] {
  return [...new Set([...(a?.moments ?? []), ...(b?.moments ?? [])].map((moment) => moment.role))];
}

export function momentAt(step: Step | null, role: string): Moment | null {
  return step?.moments.find((moment) => moment.role === role) ?? null;
}

export function differing(steps: Aligned[]): Differing[] {
  return steps.flatMap((each) =>
    rolesAt(each)
      .map((role) => ({ step: each.step, role, a: momentAt(each.a, role), b: momentAt(each.b, role) }))
      .filter(({ a, b }) => a === null || b === null || !decidedAlike(a, b)),
  );
}

/** Return the first step at which anything differs: who was asked, what was seen, decided, or came of it; null if nothing does. */
export function firstDifference(steps: Aligned[]): number | null {
  const found = steps.find((each) =>
    rolesAt(each).some((role) => {
      const [a, b] = [momentAt(each.a, role), momentAt(each.b, role)];
      return a === null || b === null || !seenAlike(a, b) || !decidedAlike(a, b) || !cameAlike(a, b);
    }),
  );
  return found?.step ?? null;
}

const LEVELS = 4;
const BELOW = " / ";

/** Return what two tables hold, by name ("shared", "taps / Alpha"), differing or not; what one lacks is `missing` there. */
export function compared(a: Json, b: Json, missing?: Json): Compared[] {
  const [ofA, ofB] = [flat(a), flat(b)];
  const names = [...new Set([...ofA.keys(), ...ofB.keys()])];
  // what is of all comes before what is of each
  const depth = (name: string) => name.split(BELOW).length;
  return names.sort((x, y) => depth(x) - depth(y)).map((name) => {
    const [one, other] = [ofA.get(name) ?? missing, ofB.get(name) ?? missing];
    return { name, a: one, b: other, differs: canonical(one) !== canonical(other) };
  });
}

function flat(given: Json, before = "", levels = LEVELS): Map<string, Json> {
  if (isBare(given)) return new Map();
  if (typeof given !== "object" || given === null || Array.isArray(given) || levels === 0) return new Map([[before || "outcome", given]]);
  return new Map(Object.entries(given).flatMap(([name, each]) => [...flat(each, before ? `${before}${BELOW}${name}` : name, levels - 1)]));
}

/** Return the decisions that somebody made: those that were given are nobody's choice. */
function made(episode: Episode, given: Set<string>): Moment[] {
  return episode.steps.flatMap((step) => step.moments.filter((moment) => !given.has(`${step.step} ${moment.role}`)));
}

/** Return how often each value was put first: one decision one vote, shared where a decision puts several first. */
export function firsts(episode: Episode, given: Set<string>): { [value: string]: number } {
  const found: { [value: string]: number } = {};
  for (const { over, share } of made(episode, given).flatMap((moment) => moment.puts)) found[over] = (found[over] ?? 0) + share;
  return rounded(found);
}

const PAYOFFS = "payoffs";

/** Return what each role was paid in the whole episode, and the rest of the outcome; a step's payoff is no sum of anything. */
export function payoffs(episode: Episode): { paid: Json; rest: Json } {
  const outcome = episode.outcome;
  if (typeof outcome !== "object" || outcome === null || Array.isArray(outcome) || !Object.hasOwn(outcome, PAYOFFS)) return { paid: null, rest: outcome };
  const { [PAYOFFS]: paid, ...rest } = outcome;
  return { paid: paid ?? null, rest };
}

/** Sums of shares in another order differ in their last digits. */
function rounded(sums: { [name: string]: number }): { [name: string]: number } {
  return Object.fromEntries(Object.entries(sums).map(([name, x]) => [name, Number(x.toFixed(6))]));
}

export interface Counted {
  decisions: number;
  faults: number;
  /** Decisions that put some value before another. */
  putting: number;
}

export function counted(episode: Episode, given: Set<string>): Counted {
  const all = made(episode, given);
  return { decisions: all.length, faults: all.filter((each) => each.fault !== null).length, putting: all.filter((each) => each.puts.length > 0).length };
}

/** How two episodes are related: where they part, and what was changed on the way to either. */
export interface Relation {
  /** The step from which on they are two; null where neither comes from what the other comes from. */
  parts: number | null;
  a: Turned[];
  b: Turned[];
  /** What was changed before they part. */
  before: Turned[];
}

const STRANGERS: Relation = { parts: null, a: [], b: [], before: [] };

/** Return how `b` is related to the episode that `root`'s tree is told for, `a`. */
export function relation(root: Node | null, a: Episode, b: Episode): Relation {
  const [toA, toB] = [wayTo(root, a), wayTo(root, b)];
  if (toA.length === 0 || toB.length === 0) return parent(a, b);
  let shared = 0;
  while (shared < toA.length && shared < toB.length && toA[shared] === toB[shared]) shared += 1;
  const [ownA, ownB] = [toA.slice(shared), toB.slice(shared)];
  const first = Math.min(...[...ownA.slice(0, 1), ...ownB.slice(0, 1)].map((node) => node.step ?? 0));
  return { parts: Number.isFinite(first) ? first : null, a: ownA.map(turned), b: ownB.map(turned), before: toA.slice(0, shared).filter((node) => node.step !== null).map(turned) };
}

/** Return the relation as far as the two say it themselves. */
function parent(a: Episode, b: Episode): Relation {
  const leaves = (one: Episode, other: Episode) => one.parent !== null && one.parent.run === other.run && one.parent.episode === other.episode;
  const [ofA, ofB] = [turnsOf(a), turnsOf(b)];
  if (b.parent && leaves(b, a)) return { parts: b.parent.step, a: [], b: ofB, before: ofA };
  if (a.parent && leaves(a, b)) return { parts: a.parent.step, a: ofA, b: [], before: ofB };
  return { ...STRANGERS, a: ofA, b: ofB };
}

function turnsOf({ parent }: Episode): Turned[] {
  return parent ? [{ step: parent.step, changes: parent.changes }] : [];
}

function turned(node: Node): Turned {
  return { step: node.step ?? 0, changes: node.changes };
}

/** Return the nodes from the root down to an episode; none where it stands in another tree. */
function wayTo(root: Node | null, episode: Episode): Node[] {
  const waiting: Node[][] = root ? [[root]] : [];
  for (let way = waiting.pop(); way; way = waiting.pop()) {
    const last = way[way.length - 1];
    if (!last) continue;
    if (last.run === episode.run && last.episode === episode.episode) return way;
    for (const node of last.branches) waiting.push([...way, node]);
  }
  return [];
}

/** Return an episode that has the steps of both, so that one scrubber leads through the two. */
export function together(a: Episode, steps: Aligned[]): Episode {
  return { ...a, steps: steps.map((each) => ({ step: each.step, moments: [...(each.a?.moments ?? []), ...(each.b?.moments ?? [])] })) };
}

/** Return what was decided, on one line. */
export function decidedInWords(moment: Moment): string {
  if (moment.chosen === null) return `no decision (${moment.fault ?? "nothing logged"})`;
  const meant = labelled(moment);
  const option = meant === null || meant === moment.chosen ? moment.chosen : `${moment.chosen}: ${meant}`;
  const given = Object.entries(moment.arguments ?? {}).filter(([, value]) => !isBare(value));
  return given.length ? `${option} (${given.map(([name, value]) => `${name}: ${said(value)}`).join(", ")})` : option;
}
