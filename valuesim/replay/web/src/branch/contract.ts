// What is asked of the server about branches (schema 1), as docs/replay.md tells it.
import { asked, posted } from "../api";
import type { Play } from "../play/plays";
import type { Json, OptionShown, Table } from "../types";

/** Who plays a role in the episode that is left. */
export interface Seated {
  agent: string;
  /** What determines the model, or its name alone; null for an agent that is none. */
  model: Json;
  /** Name -> settings, or a list of such. */
  interventions: Json;
}

export interface RoleThere {
  role: string;
  player: Seated;
  /** Whether it is asked at this step. */
  decides: boolean;
  chosen: string | null;
  options: Pick<OptionShown, "name" | "text" | "arguments">[];
  /** What it said there; null where nothing can be said instead. */
  message: string | null;
}

/** A setting of an intervention, as conf/intervention tells it: "names" is a number or a list of names, "table" numbers by name. */
export interface Setting {
  name: string;
  kind: "number" | "flag" | "text" | "names" | "table";
  default: Json;
  about: string;
  is_needed: boolean;
}

/** What can be changed at a step. */
export interface Branching {
  schema: 1;
  step: number;
  roles: RoleThere[];
  world: { [name: string]: [number, number] };
  agents: string[];
  variants: { [agent: string]: string };
  interventions: string[];
  /** The settings of each intervention, by its name. */
  settings: { [intervention: string]: Setting[] };
  models: { connected: boolean; name: string | null; why: string | null };
  seed: number;
  refused: string | null;
  leave?: { run: string; episode: string; step: number } | null;
}

/** An episode of the tree, and those that leave it. */
export interface Node {
  run: string;
  run_name: string;
  episode: string;
  /** Where it leaves the one above it; null at the root. */
  step: number | null;
  changes: Table;
  state: "finished" | "interrupted" | "unfinished";
  reason: string | null;
  is_here: boolean;
  steps: number | null;
  decisions: number | null;
  faults: number | null;
  first: string | null;
  branches: Node[];
}

export interface Family {
  schema: 1;
  root: Node;
  left_out: number;
}

/** What a branch changes, as `replay.branching.fork.changes_of` reads it. */
export interface Changes {
  players?: { [role: string]: { agent: string; model?: Json; parameters?: Table } };
  moves?: { [role: string]: { option: string; arguments: Table } };
  messages?: { [role: string]: string };
  seed?: number;
  world?: { [name: string]: number };
}

function pathOf(kind: string, ...parts: (string | number)[]): string {
  return `/api/${kind}/${parts.map((part) => encodeURIComponent(String(part))).join("/")}`;
}

export const branching = (run: string, episode: string, step: number, signal?: AbortSignal) =>
  asked<Branching>(pathOf("branching", run, episode, step), signal);

export const family = (run: string, episode: string, signal?: AbortSignal) => asked<Family>(pathOf("branches", run, episode), signal);

export const leave = (run: string, episode: string, step: number, changes: Changes) =>
  posted<{ play: Play }>("/api/branches", { run, episode, step, changes }).then((answer) => answer.play);
