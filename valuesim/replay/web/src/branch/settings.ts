// The settings of an intervention that is added, as they are typed: what is left empty is as `valuesim run` has it.
import type { Json, Table } from "../types";
import { numberIn } from "./bounds";
import type { Setting } from "./contract";

/** Setting -> what was typed. */
export type Typed = { [setting: string]: string };

const NAMED = /^\s*([^:]+?)\s*:\s*(\S+)\s*$/;

/** Return what is missing or not allowed, in the order of the form; what else is wrong the server says when it is asked. */
export function settingsTroubles(intervention: string, settings: Setting[], typed: Typed): string[] {
  const given = settings.filter((each) => typed[each.name]?.trim());
  if (intervention === "persona" && given.length !== 1) return [given.length === 0 ? "say who the model is told to be" : "its persona is a text or a name: give one of the two"];
  return settings.flatMap((each) => {
    const what = settingFault(each, typed[each.name] ?? "");
    return what ? [`${each.name} of ${intervention}: ${what}`] : [];
  });
}

/** Return why what was typed cannot be given, or null where it can. */
export function settingFault(setting: Setting, typed: string): string | null {
  if (typed.trim() === "") return setting.is_needed ? "it must be given" : null;
  if (setting.kind === "number" && numberIn(typed) === null) return "a number";
  if (setting.kind === "table" && tableIn(typed) === null) return "names and numbers, such as Care: 1, Power: -0.5";
  return null;
}

/** Return the settings that were typed, which have no troubles. */
export function settingsOf(settings: Setting[], typed: Typed): Table {
  const given = settings.filter((each) => typed[each.name]?.trim());
  return Object.fromEntries(given.map((each) => [each.name, plain(each, (typed[each.name] ?? "").trim())]));
}

function plain({ kind }: Setting, typed: string): Json {
  if (kind === "flag") return typed === "yes";
  if (kind === "number") return numberIn(typed);
  if (kind === "table") return tableIn(typed);
  if (kind === "names") return numberIn(typed) ?? partsOf(typed);
  return typed;
}

function partsOf(typed: string): string[] {
  return typed.split(/[,\n]/).map((each) => each.trim()).filter((each) => each !== "");
}

function tableIn(typed: string): Table | null {
  const found: Table = {};
  for (const part of partsOf(typed)) {
    const [, name, amount] = NAMED.exec(part) ?? [];
    const number = numberIn(amount ?? "");
    if (name === undefined || number === null) return null;
    found[name] = number;
  }
  return found;
}
