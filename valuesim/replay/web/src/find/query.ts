// What is looked for: filters, order and place, as they stand in the address and are sent to the server.
import { findLink, go, graphLink } from "../route";

export const PAGE = 50;

/** The filters that every list of runs has, with their names in words; those of conditions come beside them. */
export const FILTERS = [
  ["run", "Run"],
  ["env", "Environment"],
  ["agent", "Agent"],
  ["model", "Model"],
  ["fault", "Fault"],
  ["value", "Puts first"],
  ["archetype", "Archetype"],
] as const;

const CONDITION = "condition.";

export interface Chip {
  key: string;
  level: string;
}

export function conditionKey(factor: string): string {
  return CONDITION + factor;
}

/** Return the name of a filter in words. */
export function titleOf(key: string): string {
  const known = FILTERS.find(([name]) => name === key);
  return known ? known[1] : key.startsWith(CONDITION) ? key.slice(CONDITION.length) : key;
}

/** Return the filters that are set, in the order in which they stand in the address. */
export function chipsOf(query: URLSearchParams): Chip[] {
  const isFilter = (key: string) => key.startsWith(CONDITION) || FILTERS.some(([name]) => name === key);
  return [...query].filter(([key]) => isFilter(key)).map(([key, level]) => ({ key, level }));
}

export function offsetOf(query: URLSearchParams): number {
  const given = Number(query.get("offset") ?? 0);
  return Number.isSafeInteger(given) && given > 0 ? given : 0;
}

/** Return what the server is asked: the filters, the order and the page. */
export function questionOf(query: URLSearchParams): string {
  const asked = new URLSearchParams();
  for (const { key, level } of chipsOf(query)) asked.append(key, level);
  for (const key of ["text", "sort"]) {
    const given = query.get(key);
    if (given) asked.set(key, given);
  }
  asked.set("offset", String(offsetOf(query)));
  asked.set("limit", String(PAGE));
  return asked.toString();
}

/** Go to the list, or to the values where they are looked at, with `change` made to `query`; what is found is another list, so that it begins at its first page. */
export function look(query: URLSearchParams, change: (next: URLSearchParams) => void, replace = false): void {
  const next = new URLSearchParams(query);
  next.delete("offset");
  change(next);
  if (!location.hash.startsWith("#/graph")) return go(findLink(next), replace);
  // other episodes make other groups: what was looked at among these is not there
  for (const key of ["group", "over", "under", "node", "shown", "of"]) next.delete(key);
  go(graphLink(next), replace);
}

export function withFilter(next: URLSearchParams, key: string, level: string): void {
  if (!next.getAll(key).includes(level)) next.append(key, level);
}

export function withoutFilter(next: URLSearchParams, key: string, level: string): void {
  const left = next.getAll(key).filter((each) => each !== level);
  next.delete(key);
  for (const each of left) next.append(key, each);
}
