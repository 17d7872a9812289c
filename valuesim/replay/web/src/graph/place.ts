// Where the page of values is: the selection, the groups, and what of the graph is looked at; all of it in the address.
import { chipsOf } from "../find/query";
import { findLink, go, graphLink } from "../route";

/** What an address of this page holds beside the selection. */
export const OWN = ["by", "group", "over", "under", "node", "least", "shown", "of"] as const;
type Own = (typeof OWN)[number];

/** Return the filters alone. */
export function selectionOf(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams();
  for (const { key, level } of chipsOf(query)) asked.append(key, level);
  const text = query.get("text");
  if (text) asked.set("text", text);
  return asked;
}

export function byOf(query: URLSearchParams): string {
  return query.get("by") ?? "agent,model";
}

/** Return the address of a question on the selection. */
export function questionOn(path: string, query: URLSearchParams, more: { [key: string]: string } = {}): string {
  const asked = selectionOf(query);
  asked.set("by", byOf(query));
  for (const [key, given] of Object.entries(more)) asked.set(key, given);
  return `/api/${path}?${asked.toString()}`;
}

export function numberIn(query: URLSearchParams, key: Own, otherwise: number): number {
  const given = query.get(key);
  return given !== null && /^\d{1,6}$/.test(given) ? Number(given) : otherwise;
}

/** Return the link to this page with some of its own parts changed; null takes one away. */
export function placed(query: URLSearchParams, parts: { [key in Own]?: string | null }): string {
  const next = new URLSearchParams(query);
  for (const [key, given] of Object.entries(parts)) {
    if (given === null || given === undefined) next.delete(key);
    else next.set(key, given);
  }
  return graphLink(next);
}

export function move(query: URLSearchParams, parts: { [key in Own]?: string | null }, replace = false): void {
  go(placed(query, parts), replace);
}

/** Return the link to the list of the same episodes. */
export function listLink(query: URLSearchParams): string {
  return findLink(selectionOf(query));
}
