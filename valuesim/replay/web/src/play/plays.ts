// What the viewer plays itself, as docs/replay.md tells it.
import { asked, posted } from "../api";

export type State = "starting" | "playing" | "asking" | "finished" | "stopped" | "failed";
export type About = "consent" | "option" | "argument" | "reason" | "sure";

export interface SceneOption {
  name: string;
  text: string;
  arguments: { name: string; prompt: string }[];
}

export interface Scene {
  episode: number;
  episodes: number | null;
  role: string;
  step: number;
  text: string;
  rules: string;
  options: SceneOption[];
}

/** Within which bounds an answer stands. */
export type Bounds =
  | { kind: "amount"; low: number; high: number }
  | { kind: "name"; names: string[] }
  | { kind: "text"; longest: number };

export interface Asking {
  number: number;
  about: About;
  prompt: string;
  choices: string[];
  is_numbered: boolean;
  is_text: boolean;
  /** What is asked for, and within which bounds; null where one of `choices`, or yes or no, is wanted. */
  name: string | null;
  argument: Bounds | null;
  commands: string[];
  mistake: string | null;
  texts: { kind: "consent" | "rules" | "help"; title: string; text: string }[];
  scene: Scene | null;
}

export interface Play {
  id: string;
  kind: "branch" | "game";
  title: string;
  state: State;
  run: string | null;
  run_name: string | null;
  episode: string | null;
  step: number | null;
  episodes: number;
  total: number;
  parent: { run: string; episode: string; step: number } | null;
  /** Whether a person sits in it, who is shown nothing of what others decide. */
  person: boolean;
  error: string | null;
  asking: Asking | null;
}

export interface Game {
  id: string;
  title: string;
  /** The family of its environment. */
  family?: string;
  description: string;
  roles: string[];
  partners: string[];
  levels: string[];
}

export const OVER: State[] = ["finished", "stopped", "failed"];

const at = (id: string) => `/api/plays/${encodeURIComponent(id)}`;

export const plays = (signal: AbortSignal) => asked<{ plays: Play[] }>("/api/plays", signal);
export const games = (signal: AbortSignal) => asked<{ games: Game[] }>("/api/games", signal);
export const begin = (game: unknown) => posted<{ play: Play }>("/api/games", game);
export const eventsOf = (id: string) => `${at(id)}/events`;
export const play = (id: string) => asked<{ play: Play }>(at(id));
export const answer = (id: string, number: number, text: string) => posted<{ play: Play }>(`${at(id)}/answer`, { number, text });
export const stop = (id: string) => posted<{ play: Play }>(`${at(id)}/stop`, {});

const STATES: { [state in State]: string } = {
  starting: "is starting",
  playing: "is being played",
  asking: "waits for you",
  finished: "is finished",
  stopped: "was stopped",
  failed: "failed",
};

export function stateOf(play: Play): string {
  return STATES[play.state];
}
