// What a branch changes, in words. Its run.yaml may be anybody's: what has another shape is left out.
import { tableOf } from "../scenes/reading";
import type { Json, Table } from "../types";
import { figure, said } from "../words";
import { madeOn, worldName } from "./draft";

const MOST_TOLD = 20;
const LONGEST = 200;

/** Return each change as a part of a sentence: "Alpha is played by mute", "the seed is 7". */
export function changesInWords(given: Json | undefined): string[] {
  const changes = tableOf(given);
  const told = [
    ...Object.entries(tableOf(changes["players"])).map(([role, player]) => playedBy(role, tableOf(player))),
    ...Object.entries(tableOf(changes["moves"])).map(([role, move]) => `${role} ${taking(tableOf(move))}`),
    ...Object.entries(tableOf(changes["messages"])).map(([role, text]) => `${role} says ${quoted(text)}`),
    ...Object.entries(tableOf(changes["world"])).map(([name, amount]) => `${worldName(name)} is ${short(amount)}`),
  ];
  const seed = changes["seed"];
  if (seed !== undefined && seed !== null) told.push(`the seed is ${short(seed)}`);
  const rest = told.length - MOST_TOLD;
  return rest > 0 ? [...told.slice(0, MOST_TOLD), `${figure(rest)} more are changed`] : told;
}

function playedBy(role: string, player: Table): string {
  const model = tableOf(player["model"]);
  const who = short(model["name"] ?? player["agent"] ?? "somebody else");
  const made = madeOn(tableOf(player["parameters"])["interventions"] ?? null);
  const named = who === "human" ? "a person" : who;
  return `${role} is played by ${named}${made.length ? ` with ${made.map(intervention).join(", ")}` : ""}`;
}

function intervention({ name, settings }: { name: string; settings: Table | null }): string {
  const told = Object.entries(settings ?? {}).filter(([, value]) => value !== null).map(([key, value]) => `${key}: ${said(value)}`);
  return told.length ? short(`${name} (${told.join(", ")})`) : name;
}

/** Return a move as what somebody does: "takes tap (amount 3)". */
function taking(move: Table): string {
  const given = Object.entries(tableOf(move["arguments"])).filter(([, value]) => value !== "");
  const how = given.length ? ` (${given.map(([name, value]) => `${name} ${said(value)}`).join(", ")})` : "";
  return short(`takes ${said(move["option"])}${how}`);
}

function quoted(text: Json): string {
  return `\u201c${short(text)}\u201d`;
}

function short(given: Json): string {
  const text = typeof given === "number" ? String(given) : said(given);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}\u2026` : text;
}

/** Return the changes on one line; where nothing is changed, that it was played once more. */
export function changesOnOneLine(given: Json | undefined): string {
  return changesInWords(given).join("; ") || "nothing changed: played once more";
}

export interface Turned {
  /** Where an episode was left, and what was changed there. */
  step: number;
  changes: Json;
}

/** Return the decisions that were given where episodes were left, one fork after another, as "STEP ROLE": nobody chose them. */
export function givenIn(turns: Turned[]): Set<string> {
  const found = new Set<string>();
  for (const { step, changes } of turns) {
    const { players, messages, moves } = tableOf(changes);
    // who is given something else at the same step does that
    for (const role of Object.keys({ ...tableOf(players), ...tableOf(messages) })) found.delete(`${step} ${role}`);
    for (const role of Object.keys(tableOf(moves))) found.add(`${step} ${role}`);
  }
  return found;
}

/** Return where a decision that a branch has not of its own comes from. */
export function originOf(turns: Turned[], step: number, role: string): string {
  if (givenIn(turns).has(`${step} ${role}`)) return "Given where the episode was left: nobody chose it.";
  const isSaid = turns.some((turn) => turn.step === step && Object.hasOwn(tableOf(tableOf(turn.changes)["messages"]), role));
  if (isSaid) return "Of the episode that this one leaves, with another message given.";
  return "Of the episode that this one leaves: it was not decided here.";
}

/** Return the name of who plays: of a model its own. */
export function nameOf(player: { agent: string; model: Json }): string {
  const model = player.model;
  if (typeof model === "string") return model;
  const name = tableOf(model)["name"];
  return typeof name === "string" ? name : player.agent;
}
