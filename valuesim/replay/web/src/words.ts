// Figures and names in words.
import type { Json } from "./types";

export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
}

export function figure(x: number): string {
  return Number.isInteger(x) ? x.toLocaleString("en") : x.toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** Return a value of a log on one line: a text as it is, anything else as JSON. */
export function said(value: Json | undefined): string {
  if (value === undefined || value === null) return "none";
  if (typeof value === "string") return value;
  if (typeof value === "number") return figure(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return JSON.stringify(value);
}

export function seconds(latency: number): string {
  return latency < 1 ? `${Math.round(latency * 1000)} ms` : `${figure(latency)} s`;
}

/** Return whether a value is nothing worth showing: null, or an empty text, list or table. */
export function isBare(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Return what a table has under a name of its own: every object has a `constructor`, too. */
export function own<Value>(table: { [name: string]: Value }, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

export function sum(numbers: number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
