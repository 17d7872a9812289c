// A branch as it is being put together: what was chosen on the form, and the changes that it comes to.
import type { Json, Moment, Table } from "../types";
import { argumentsOf, faultOf, firstOf, kindsOf, numberFault, numberIn } from "./bounds";
import type { Branching, Changes, RoleThere, Setting } from "./contract";
import { settingsOf, settingsTroubles, type Typed } from "./settings";

export type Who = "keep" | "agent" | "model" | "person";

/** An intervention that is to be made; `settings` are as they are, null where they are as they were typed. */
export interface Made {
  name: string;
  settings: Table | null;
  typed: Typed;
}

export interface RoleDraft {
  who: Who;
  agent: string;
  variant: string;
  model: string;
  /** Null while they are as they were. */
  made: Made[] | null;
  decision: "as" | "move" | "message";
  option: string;
  typed: { [argument: string]: string };
  message: string;
}

export interface Draft {
  roles: { [role: string]: RoleDraft };
  /** Name -> what was typed; nothing, or an empty text, leaves it as it is. */
  world: { [name: string]: string };
  seed: string;
}

export const MODEL_AGENT = "llm";
export const PERSON = "human";
const MOST_SEED = 2 ** 52;

const KEPT: RoleDraft = { who: "keep", agent: "", variant: "", model: "", made: null, decision: "as", option: "", typed: {}, message: "" };

export function draftOf(there: Branching): Draft {
  return { roles: Object.fromEntries(there.roles.map((each) => [each.role, roleDraft(there, each)])), world: {}, seed: "" };
}

function roleDraft(there: Branching, each: RoleThere): RoleDraft {
  return { ...KEPT, agent: there.agents[0] ?? "", model: there.models.name ?? "", ...given(each) };
}

function given(each: RoleThere): Pick<RoleDraft, "option" | "typed" | "message"> {
  const other = each.options.find((option) => option.name !== each.chosen) ?? each.options[0];
  return { option: other?.name ?? "", typed: {}, message: each.message ?? "" };
}

/** Return the draft at another step: who plays and what is drawn stays, what belongs to the step does not. */
export function moved(draft: Draft, there: Branching): Draft {
  const roles = there.roles.map((each): [string, RoleDraft] => {
    const before = draft.roles[each.role];
    return [each.role, before ? { ...before, decision: "as", ...given(each) } : roleDraft(there, each)];
  });
  return { ...draft, roles: Object.fromEntries(roles), world: {} };
}

/** Return the interventions that a player has, in their order. */
export function madeOn(interventions: Json): Made[] {
  const listed = Array.isArray(interventions) ? interventions : [interventions];
  return listed.flatMap((each) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.entries(each).map(([name, settings]) => ({ name, settings: isTable(settings) ? settings : {}, typed: {} }))
      : [],
  );
}

function isTable(given: Json): given is Table {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

/** Return whether a model plays the role as it is drafted: interventions are made on models alone. */
export function isModel(there: RoleThere, role: RoleDraft): boolean {
  return role.who === "model" || (role.who === "keep" && there.player.model !== null);
}

export function isReplaced(role: RoleDraft, there: RoleThere): boolean {
  return role.who !== "keep" || (role.made !== null && isModel(there, role));
}

export interface Trouble {
  /** The role, or "world" or "seed". */
  at: string;
  what: string;
}

/** Return what is missing or not allowed, in the order of the form. */
export function troubles(there: Branching, draft: Draft): Trouble[] {
  const found = there.roles.flatMap((each) => roleTroubles(there, each, draft.roles[each.role] ?? KEPT).map((what) => ({ at: each.role, what })));
  for (const [name, [low, high]] of Object.entries(there.world)) {
    const typed = draft.world[name] ?? "";
    const what = typed === "" ? null : numberFault(typed, low, high);
    if (what) found.push({ at: "world", what: `${worldName(name)}: ${what}` });
  }
  const what = draft.seed === "" ? null : seedFault(draft.seed);
  return what ? [...found, { at: "seed", what }] : found;
}

function seedFault(typed: string): string | null {
  return /^\d{1,16}$/.test(typed) && Number(typed) < MOST_SEED ? null : "the seed is a whole number from 0, below 2 to the 52nd";
}

function roleTroubles(there: Branching, each: RoleThere, role: RoleDraft): string[] {
  const found: string[] = [];
  if (role.who === "agent" && !there.agents.includes(role.agent)) found.push("choose an agent");
  if (role.who === "model" && role.model.trim() === "") found.push("name the model");
  if (isModel(each, role)) {
    if (!there.models.connected) found.push("it is played by a model, and none is connected");
    for (const made of role.made ?? []) if (made.settings === null) found.push(...settingsTroubles(made.name, takenBy(there, made.name), made.typed));
  }
  if (role.decision === "move") found.push(...moveTroubles(each, role));
  if (role.decision === "message") found.push(...messageTroubles(each, role));
  return found;
}

interface Sayable {
  /** The argument of the option taken that is what was said. */
  name: string;
  longest: number;
}

/** Return what of a role's decision is said, null where nothing can be said instead. */
export function sayable(each: RoleThere): Sayable | null {
  const chosen = each.options.find((option) => option.name === each.chosen);
  for (const [name, kind] of kindsOf(chosen?.arguments ?? null)) if (kind.is === "text") return { name, longest: kind.longest };
  return null;
}

/** Return what can be changed with what was said in it: of an agent that is no model, it stands in the arguments alone. */
export function withSaid(there: Branching, moments: Moment[]): Branching {
  const roles = there.roles.map((each) => {
    const said = moments.find((moment) => moment.role === each.role)?.arguments[sayable(each)?.name ?? ""];
    return typeof said === "string" ? { ...each, message: said } : each;
  });
  return { ...there, roles };
}

function messageTroubles(each: RoleThere, role: RoleDraft): string[] {
  const what = faultOf({ is: "text", longest: sayable(each)?.longest ?? 0 }, role.message);
  if (what) return [`its message has ${what}`];
  return role.message === (each.message ?? "") ? ["its message is the one that was said"] : [];
}

function moveTroubles(each: RoleThere, role: RoleDraft): string[] {
  const option = each.options.find((one) => one.name === role.option);
  if (!option) return ["choose an option"];
  return kindsOf(option.arguments).flatMap(([name, kind]) => {
    const what = faultOf(kind, role.typed[name] ?? firstOf(kind));
    return what ? [`${name}: ${what}`] : [];
  });
}

/** Return the changes that a draft without troubles comes to; what is as it was is not among them. */
export function changesOf(there: Branching, draft: Draft): Changes {
  const found: Required<Pick<Changes, "players" | "moves" | "messages" | "world">> = { players: {}, moves: {}, messages: {}, world: {} };
  for (const each of there.roles) {
    const role = draft.roles[each.role] ?? KEPT;
    if (isReplaced(role, each)) found.players[each.role] = playerOf(there, each, role);
    const option = each.options.find((one) => one.name === role.option);
    if (role.decision === "move" && option) {
      found.moves[each.role] = { option: option.name, arguments: argumentsOf(kindsOf(option.arguments), role.typed) };
    }
    if (role.decision === "message") found.messages[each.role] = role.message;
  }
  for (const name of Object.keys(there.world)) {
    const amount = numberIn(draft.world[name] ?? "");
    if (amount !== null) found.world[name] = amount;
  }
  const told = Object.fromEntries(Object.entries(found).filter(([, table]) => Object.keys(table).length > 0));
  return draft.seed === "" ? told : { ...told, seed: Number(draft.seed) };
}

function playerOf(there: Branching, each: RoleThere, role: RoleDraft): NonNullable<Changes["players"]>[string] {
  if (role.who === "person") return { agent: PERSON };
  if (role.who === "agent") return { agent: role.variant.trim() ? `${role.agent}:${role.variant.trim()}` : role.agent };
  const kept = typeof each.player.model === "string" ? { name: each.player.model } : each.player.model;
  const made = role.made ?? madeOn(each.player.interventions);
  const interventions = made.map((one) => ({ [one.name]: one.settings ?? settingsOf(takenBy(there, one.name), one.typed) }));
  const parameters = interventions.length > 0 ? { parameters: { interventions } } : {};
  return role.who === "model" ? { agent: MODEL_AGENT, model: { name: role.model.trim() }, ...parameters } : { agent: each.player.agent, model: kept, ...parameters };
}

/** Return the settings that an intervention takes. */
export function takenBy(there: Branching, name: string): Setting[] {
  return Object.hasOwn(there.settings, name) ? (there.settings[name] ?? []) : [];
}

export interface Asking {
  /** Who of those asked at the step decides anew, and whose decision stays or is given. */
  anew: string[];
  stay: string[];
  given: string[];
}

/**
 * Return who decides at the step anew: what others did at the same moment cannot depend on a change of one (`Fork.deciding`).
 * `before` are roles whose decision there was given already, where a branch is left at the step at which it begins.
 */
export function askingOf(there: Branching, changes: Changes, before: string[] = []): Asking {
  const asked = there.roles.filter((each) => each.decides).map((each) => each.role);
  const isGiven = (role: string) => changes.moves?.[role] !== undefined || changes.messages?.[role] !== undefined;
  const given = asked.filter((role) => isGiven(role) || (before.includes(role) && changes.players?.[role] === undefined));
  // nobody goes on as the person who played before: another one is asked
  const persons = there.roles.filter((each) => each.player.agent === PERSON).map((each) => each.role);
  const replaced = [...Object.keys(changes.players ?? {}), ...persons];
  const keepsSight = changes.seed === undefined && changes.world === undefined;
  const isOfSome = keepsSight && (given.length > 0 || replaced.length > 0);
  const anew = asked.filter((role) => !given.includes(role) && (!isOfSome || replaced.includes(role)));
  return { anew, given, stay: asked.filter((role) => !anew.includes(role) && !given.includes(role)) };
}

/** Return what is set in the world, in words. */
export function worldName(name: string): string {
  if (name === "shared") return "the shared battery";
  return name.startsWith("power ") ? `the power of ${name.slice(6)}` : name;
}
