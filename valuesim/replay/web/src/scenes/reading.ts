// Views, annotations and effects are what a log holds: any JSON. What is not as expected reads as absent.
import type { Episode, Json, Moment, OptionShown, Step, Table } from "../types";

export function tableOf(given: Json | undefined): Table {
  return given !== null && typeof given === "object" && !Array.isArray(given) ? given : {};
}

export function listOf(given: Json | undefined): Json[] {
  return Array.isArray(given) ? given : [];
}

/** No environment has larger numbers; what is drawn with larger ones would leave every scale. */
const LARGEST = 1e12;

export function numberOf(given: Json | undefined): number | null {
  return typeof given === "number" && Math.abs(given) <= LARGEST ? given : null;
}

export function textOf(given: Json | undefined): string | null {
  return typeof given === "string" ? given : null;
}

/** An amount that a move names ("20"), or null. */
export function amountOf(move: string | null): number | null {
  return move !== null && /^-?\d+(\.\d+)?$/.test(move) ? Number(move) : null;
}

export function field(table: Table, name: string): Json | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** A name inside a sentence: of a very long one the beginning. */
export function brief(name: string): string {
  const signs = [...name.slice(0, 200)];
  return signs.length > LONGEST_NAME ? `${signs.slice(0, LONGEST_NAME).join("")}\u2026` : name;
}

const LONGEST_NAME = 40;

/** At most two decimals, no trailing zeros. */
export function numeral(x: number): string {
  return String(Math.round(x * 100) / 100);
}

export function momentOf(step: Step | undefined, role: string): Moment | undefined {
  return step?.moments.find((moment) => moment.role === role);
}

/** How many options are drawn: a list of thousands would stop the page, and nobody reads it. */
const MOST_OPTIONS = 120;

/** The options to draw, in their order, the one taken among them, and how many are left out. */
export function optionsShown(moment: Moment): { options: OptionShown[]; left: number } {
  const options = moment.options.filter((option, place) => place < MOST_OPTIONS || option.name === moment.chosen);
  return { options, left: moment.options.length - options.length };
}

/** The moment of the role looked at, or the first of the step where that role decided nothing. */
export function lookedAt(step: Step | undefined, role: string): Moment | undefined {
  return momentOf(step, role) ?? step?.moments[0];
}

export function effectOf(moment: Moment | undefined): Table {
  return tableOf(moment?.effect);
}

/** The text of the option chosen, its name where it is no longer among those offered, or null. */
export function chosenText(moment: Moment): string | null {
  if (moment.chosen === null) return null;
  return moment.options.find((option) => option.name === moment.chosen)?.text ?? moment.chosen;
}

/** What was decided in two or three words: the option, or the fault. */
export function decided(moment: Moment): string {
  return moment.chosen ?? `no decision (${moment.fault ?? "nothing logged"})`;
}

const ORDER = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta", "Iota"];

export interface Actor {
  name: string;
  /** One or two characters, another for each actor. */
  mark: string;
  /** Which colour of the palette, from 0. */
  colour: number;
}

export const COLOURS = 9;

/** Everybody who takes part, in the order of the environments' names. */
export function actorsOf(episode: Episode): Actor[] {
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const names = Object.keys(episode.population).sort((a, b) => rank(a) - rank(b));
  const marks = marksOf(names);
  return names.map((name, index) => ({ name, mark: marks[index] ?? "?", colour: index % COLOURS }));
}

function marksOf(names: string[]): string[] {
  const first = (name: string, count: number) =>
    [...name].filter((each) => /[\p{L}\p{N}]/u.test(each)).slice(0, count).join("");
  return names.map((name, index) => {
    for (const count of [1, 2]) {
      const mark = first(name, count);
      if (mark && names.every((other) => other === name || first(other, count) !== mark)) return mark;
    }
    return String(index + 1);
  });
}

/** The environment's id without its version. */
export function gameOf(episode: Episode): string {
  return episode.env.replace(/-v\d+$/, "");
}
