// What the server answers on the values of a selection (docs/replay.md).
export interface Value {
  value: string;
  rank: number | null;
  rank_low: number | null;
  rank_high: number | null;
  strength: number | null;
  se: number | null;
  low: number | null;
  high: number | null;
  component: number;
  identified: boolean;
  reason: string | null;
  separated: boolean;
  choices: number;
  clusters: number;
}

export interface Edge {
  over: string;
  under: string;
  weight: number;
  decisions: number;
  probability: number | null;
  against: number;
  against_decisions: number;
}

export interface Group {
  group: { [key: string]: string | number | boolean | null };
  name: string;
  decisions: number;
  choices: number;
  contested: number;
  clusters: number;
  unit: string;
  episodes: number;
  faults: { [kind: string]: number };
  fault_rate: number | null;
  coherent: boolean;
  coherence: { reason: string; gain: number | null; low: number | null };
  statement: string | null;
  components: string[][];
  values: Value[];
  edges: Edge[];
  consistency: {
    gradient_share: number | null;
    curl_share: number | null;
    null_curl_share: number | null;
    null_curl_high: number | null;
    cycles: string[][];
    reason: string | null;
  };
  interrupted: { [reason: string]: number };
  notes: string[];
}

export interface Selection {
  runs: { run: string; name: string }[];
  episodes: number;
  decisions: number;
  interrupted: number;
  is_whole: boolean;
  branches: number;
}

export interface Graphs {
  selection: Selection;
  by: string[];
  offered: string[];
  groups: Group[];
  unplaced: { [reason: string]: number };
  why: string | null;
  notes: string[];
}

export interface Place {
  run: string;
  episode: string;
  step: number;
  role: string;
  chosen: string | null;
}

export interface Behind extends Place {
  run_name: string;
  agent: string;
  model: string | null;
  env: string;
  share: number;
  margin: number;
  rationale: string | null;
  options: { name: string; text: string; stakes: { [value: string]: number } }[];
}

export interface Listed {
  over: string;
  under: string;
  total: number;
  votes: number;
  decisions: Behind[];
}

type Condition = { [key: string]: string | number | boolean | null };

export interface Rate {
  condition: Condition;
  transgressions: number;
  opportunities: number;
  rate: number | null;
  low: number | null;
  high: number | null;
}

export interface Flag {
  name: string;
  puts: string;
  over: string[];
  left_out: string[];
  probability: number;
  margin: number;
  low: number;
  high: number;
  decisions: number;
}

export interface Conduct {
  name: string;
  probability: number | null;
  why: string;
  rates: { name: string; cooperated: number; moves: number; rate: number; low: number; high: number }[];
}

export interface Archetype {
  name: string;
  archetype: string;
  why: string;
  posterior: { [name: string]: number };
  rates: Rate[];
  flags: Flag[];
  omitted: { name: string; reason: string }[];
  coherent: boolean;
  decisions: number;
  faults: { [kind: string]: number };
  fault_rate: number | null;
  conduct_name: string | null;
  conduct_why: string | null;
  conduct_decisions?: number;
  conduct_faults?: number;
  conduct: Conduct[];
}

export interface Archetypes {
  groups: Archetype[];
  why: string | null;
  meanings: { [name: string]: string };
}

export interface Clause {
  figure: "rate" | "players" | "ratio" | "difference";
  condition: Condition;
  limit: number;
  is_below: boolean;
  met: number;
  low: number;
  high: number;
  of_any: boolean;
}

export interface Weight {
  condition: Condition;
  is_done: boolean;
  log_odds: number | null;
  count: number;
  decisions: Place[];
}

export interface Taken {
  name: string;
  posterior: number;
  log_odds: number;
  prior: number;
  contributions: { condition: Condition; log_odds: number }[];
  clauses: Clause[];
  weights: Weight[];
}

export interface Evidence {
  archetype: string;
  why: string;
  archetypes: Taken[];
  reason: string | null;
  runs: { [run: string]: string };
}
