// What the server answers (schema 1), as docs/replay.md tells it.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Table = { [key: string]: Json };

export interface About {
  schema: 1;
  path: string;
  version: string;
  runs: number;
  episodes: number;
  /** Runs that are still being read, and runs whose archetypes are still being worked out. */
  reading: number;
  pending: number;
}

export interface RunFacet {
  run: string;
  name: string;
  episodes: number;
  /** Episodes that were begun and not finished. */
  interrupted: number;
  /** Why it cannot be read. */
  error?: string;
  branch?: boolean;
}

export interface Facets {
  schema: 1;
  runs: RunFacet[];
  env: string[];
  agent: string[];
  model: string[];
  fault: string[];
  value: string[];
  archetype: string[];
  /** Levels are texts, numbers written as JSON. */
  condition: { [factor: string]: string[] };
}

export interface Row {
  run: string;
  run_name: string;
  episode: string;
  env: string;
  agents: string[];
  models: string[];
  condition: Table;
  seed: number;
  steps: number;
  decisions: number;
  faults: { [kind: string]: number };
  first: string | null;
  archetype: string | null;
}

export interface Episodes {
  schema: 1;
  total: number;
  rows: Row[];
}

export interface OptionShown {
  name: string;
  text: string;
  stakes: { [value: string]: number };
  tags: string[];
  arguments: Json;
  omission?: boolean;
}

export interface Addition {
  by: string;
  place: string;
  text: string;
}

export interface Message {
  role: string;
  content: string;
}

export interface Put {
  over: string;
  under: string;
  share: number;
}

export interface Try {
  reply: string;
  fault: string;
  detail: string | null;
  attempted: { option: string; arguments: Table } | null;
  /** What was sent to ask once more. */
  again: Message[] | null;
}

export interface Moment {
  role: string;
  text: string;
  view: Table;
  annotations: Table;
  options: OptionShown[];
  chosen: string | null;
  arguments: Table;
  fault: string | null;
  fault_detail: string | null;
  message: string | null;
  rationale: string | null;
  /** What a model thought before its answer, where the reply holds it. */
  reasoning?: string | null;
  reply: string | null;
  attempts: number;
  tries: Try[];
  added: Addition[];
  interventions: Json;
  probabilities: { [option: string]: number } | null;
  usage: Table | null;
  latency: number | null;
  effect: Json;
  payoff: Json;
  prompt: Message[] | null;
  puts: Put[];
  /** Whether its texts were left out, as those of a very long episode are: `/api/moments` has them. */
  partial?: boolean;
  /** Whether a branch has it of the episode that it leaves. */
  inherited?: boolean;
}

export interface Step {
  step: number;
  moments: Moment[];
}

export interface Player {
  agent: string;
  model: string | null;
  interventions: Json;
}

/** The episode that a branch leaves. */
export interface Parent {
  run: string | null;
  run_name?: string;
  episode: string;
  step: number;
  changes: Json;
}

export interface Episode {
  schema: 1;
  run: string;
  run_name: string;
  episode: string;
  env: string;
  family: string;
  condition: Table;
  population: { [role: string]: Player };
  /** Null while that is not known, before the episode is finished. */
  seed: number | null;
  elicitation: Json;
  outcome: Json;
  measures: Table;
  faults: { [kind: string]: number };
  usage: Json;
  rules: { [role: string]: string };
  steps: Step[];
  parent: Parent | null;
  /** Of an episode that is not finished: whether it is being played, which play it is, and why it was cut off. */
  live?: boolean;
  play?: number;
  interrupted?: string | null;
}

/** What a scene is given: the whole episode, the index of its step in `episode.steps`, the role looked at. */
export interface SceneProps {
  episode: Episode;
  step: number;
  role: string;
}
