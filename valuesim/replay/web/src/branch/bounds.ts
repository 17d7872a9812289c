// What an option takes, as the log has it: an amount within bounds, one of some names, or a text.
import type { Json, Table } from "../types";
import { figure } from "../words";

export type Kind = { is: "amount"; low: number; high: number } | { is: "name"; names: string[] } | { is: "text"; longest: number };

/** Return what each argument of an option may be, in their order; what is none of the three is left out. */
export function kindsOf(takes: Json): [name: string, kind: Kind][] {
  if (typeof takes !== "object" || takes === null || Array.isArray(takes)) return [];
  return Object.entries(takes).flatMap(([name, bounds]): [string, Kind][] => {
    const kind = kindOf(bounds);
    return kind ? [[name, kind]] : [];
  });
}

function kindOf(bounds: Json): Kind | null {
  if (typeof bounds === "number") return { is: "text", longest: bounds };
  if (!Array.isArray(bounds)) return null;
  const [low, high] = bounds;
  if (bounds.length === 2 && typeof low === "number" && typeof high === "number") return { is: "amount", low, high };
  return { is: "name", names: bounds.filter((each) => typeof each === "string") };
}

/** Return what stands in the field of an argument at first. */
export function firstOf(kind: Kind): string {
  if (kind.is === "amount") return String(kind.high);
  return kind.is === "name" ? (kind.names[0] ?? "") : "";
}

/** Return why what was typed cannot be given, or null where it can. */
export function faultOf(kind: Kind, typed: string): string | null {
  if (kind.is === "amount") return numberFault(typed, kind.low, kind.high);
  if (kind.is === "name") return kind.names.includes(typed) ? null : "choose one of those listed";
  // the log counts characters, a browser halves of some
  return [...typed].length <= kind.longest ? null : `at most ${figure(kind.longest)} characters`;
}

export function numberFault(typed: string, low: number, high: number): string | null {
  const given = numberIn(typed);
  if (given === null) return `a number from ${figure(low)} to ${figure(high)}`;
  return given < low || given > high ? `${figure(given)} is outside ${figure(low)} to ${figure(high)}` : null;
}

export function numberIn(typed: string): number | null {
  const given = Number(typed);
  return typed.trim() !== "" && Number.isFinite(given) ? given : null;
}

/** Return the arguments that were typed as a move gives them. */
export function argumentsOf(kinds: [name: string, kind: Kind][], typed: { [name: string]: string }): Table {
  return Object.fromEntries(
    kinds.map(([name, kind]) => {
      const given = typed[name] ?? firstOf(kind);
      return [name, kind.is === "amount" ? numberIn(given) : given];
    }),
  );
}
