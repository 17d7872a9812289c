// What blind judging asks of the server, and what is kept of the session in this tab.
import { asked, leaving, posted } from "../api";
import type { Json, Table } from "../types";

export type Task = "decide" | "guess" | "rate";
export type Phase = "before" | "after";

export interface Offered {
  name: string;
  text: string;
  /** By name: [low, high] of an amount, a list of names, or the length of a text. */
  arguments: { [name: string]: Json };
}

export interface Revealed {
  chosen: string | null;
  arguments: Table;
  fault: string | null;
  fault_detail: string | null;
  message: string | null;
  rationale: string | null;
  reasoning: string | null;
  reply: string | null;
}

export interface Answer {
  option?: string;
  arguments?: Table;
  ratings?: { [option: string]: number };
  surprise?: number;
}

export interface Spot {
  step: number;
  role: string;
}

export interface BlindMoment extends Spot {
  run: string;
  episode: string;
  rules: string;
  text: string;
  options: Offered[];
  judged: { task: Task; answer: Answer | null; confidence: number | null; is_done: boolean } | null;
  revealed?: Revealed;
}

export interface Share {
  value: number | null;
  low: number | null;
  high: number | null;
  n: number;
  episodes: number;
}

/** A share over people: its interval holds for other people and other scenes. */
export interface CrossedShare extends Omit<Share, "episodes"> {
  people: number;
  scenes: number;
}

export interface Tally<S = Share> {
  n: number;
  faulty: number;
  declined: number;
  seconds: number;
  agreed_before?: S;
  agreed_after?: S;
  changed?: S;
  right?: S;
  /** How often who draws an option by lot would agree; null where the log does not say it. */
  by_lot?: number | null;
  surprise?: number | null;
  rating_before?: number | null;
  rating_after?: number | null;
}

export interface Summary {
  schema: 1;
  run: string;
  run_name: string;
  tasks: { [task in Task]?: Tally };
}

/** What all people judged of one agent in one environment. */
export interface JudgedGroup {
  env: string | null;
  agent: string | null;
  model: string | null;
  interventions: string[] | null;
  tasks: { [task in Task]?: Tally<CrossedShare> };
}

export interface JudgedByAll {
  people: number;
  repeated: number;
  unread: { [run: string]: string };
  groups: JudgedGroup[];
}

export interface Consent {
  id: string;
  text: string;
}

const KEPT = "valuesim.judging";

/** Return the session of this tab, or null where nobody has consented in it. */
export function keptSession(): string | null {
  return sessionStorage.getItem(KEPT);
}

export function keepSession(session: string | null): void {
  if (session === null) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, session);
}

export const judgedByAll = (signal: AbortSignal) => asked<JudgedByAll>("/api/judgements", signal);
export const consentText = (signal: AbortSignal) => asked<{ consent: Consent }>("/api/judgements/consent", signal);

export const begun = (consent: string, participant: string) =>
  posted<Summary & { session: string }>("/api/judgements/sessions", { consent, agreed: true, participant: participant || null });

export function following(run: string, episode: string, session: string, role: string | null, signal?: AbortSignal) {
  const query = new URLSearchParams({ session, ...(role === null ? {} : { role }) });
  const place = [run, episode].map(encodeURIComponent).join("/");
  return asked<{ next: Spot | null; judged: number; roles: string[] }>(`/api/blind/${place}?${query}`, signal);
}

export function shown(run: string, episode: string, session: string, at: Spot, signal?: AbortSignal) {
  const place = [run, episode, String(at.step), at.role].map(encodeURIComponent).join("/");
  return asked<BlindMoment>(`/api/blind/${place}?${new URLSearchParams({ session })}`, signal);
}

export interface Said {
  session: string;
  run: string;
  episode: string;
  step: number;
  role: string;
  task: Task;
  phase: Phase;
  answer: Answer | null;
  confidence: number | null;
}

export const judge = (said: Said) => posted<{ revealed: Revealed }>("/api/judgements", said);
const end = (session: string) => `/api/judgements/${encodeURIComponent(session)}/end`;
export const ended = (session: string) => posted<Summary>(end(session), {});
/** End what was begun where somebody just leaves: the choices so far count. */
export const left = (session: string) => leaving(end(session));
