// Strategic games: the rounds played up to a step, the table, the amounts of the present round.
import type { Episode, Moment, Table } from "../types";
import {
  type Actor, actorsOf, amountOf, brief, effectOf, field, listOf, lookedAt, momentOf, numberOf, tableOf, textOf,
} from "./reading";

/** What one player did in one phase; `move` is null where it made no decision, undefined where it had no say. */
export interface Made {
  player: string;
  phase: string;
  move: string | null;
  shown: string;
  /** The move in a word, as the game knows it. */
  short: string;
  fault: string | null;
  intended: string | null;
}

export interface Round {
  number: number;
  stake: number | null;
  made: Made[];
  /** What each player earned in the round so far, in the order of the players. */
  earned: number[];
}

export interface Matrix {
  row: Actor;
  column: Actor;
  moves: string[];
  rowNames: string[];
  columnNames: string[];
  own: number[][];
  partner: number[][];
  /** The cell of this round, or null before both have moved. */
  cell: [number, number] | null;
}

export interface Amount {
  actor: Actor;
  phase: string;
  verb: string;
  amount: number | null;
  least: number;
  most: number;
}

export interface GameScene {
  game: string;
  phase: string;
  round: number;
  rounds: number | null;
  /** Whether each round is a decision of its own, at a stake of its own. */
  isList: boolean;
  players: Actor[];
  played: Round[];
  now: Round;
  /** Totals of each player after each round, from 0. */
  totals: number[][];
  matrix: Matrix | null;
  amounts: Amount[];
  facts: [string, string][];
  said: { sender: string; text: string; promise: string | null }[];
}

export function gameScene(episode: Episode, step: number, role: string): GameScene | null {
  const here = episode.steps[step];
  const looked = lookedAt(here, role);
  const view = tableOf(looked?.view);
  const number = numberOf(field(view, "round"));
  const game = textOf(field(view, "game"));
  if (!looked || number === null || game === null) return null;
  const players = actorsOf(episode);
  const played = roundsOf(episode, step, players);
  const now = played.find((round) => round.number === number);
  if (!now) return null;
  return {
    game,
    phase: textOf(field(view, "phase")) ?? "",
    round: number,
    rounds: numberOf(field(view, "rounds")) ?? numberOf(field(tableOf(looked.annotations), "rounds_drawn")),
    isList: field(episode.condition, "design") === "within",
    players,
    played,
    now,
    totals: totalsOf(played, players.length),
    matrix: matrixOf(view, looked, now, players),
    amounts: amountsOf(episode, step, now, players),
    facts: [...factsOf(view), ...framing(episode)],
    said: saidOf(episode, step),
  };
}

function roundsOf(episode: Episode, step: number, players: Actor[]): Round[] {
  const rounds = new Map<number, Round>();
  for (const each of episode.steps.slice(0, step + 1)) {
    const paid = new Map<string, number>();
    for (const moment of each.moments) {
      const number = numberOf(field(tableOf(moment.view), "round"));
      if (number === null) continue;
      const round = rounds.get(number) ?? { number, stake: null, made: [], earned: players.map(() => 0) };
      rounds.set(number, round);
      round.stake = numberOf(field(tableOf(moment.view), "stake"));
      const phase = textOf(field(tableOf(moment.view), "phase")) ?? "";
      if (phase !== "talk") round.made.push(madeIn(moment, phase));
      paidBy(moment, paid);
    }
    const number = numberOf(field(tableOf(each.moments[0]?.view), "round"));
    const round = number === null ? undefined : rounds.get(number);
    if (round) round.earned = round.earned.map((sum, place) => sum + (paid.get(players[place]?.name ?? "") ?? 0));
  }
  return [...rounds.values()];
}

function madeIn(moment: Moment, phase: string): Made {
  const effect = effectOf(moment);
  const move = textOf(field(effect, "move"));
  const names = tableOf(field(tableOf(moment.view), "names"));
  const intended = textOf(field(effect, "intended"));
  return {
    player: moment.role,
    phase,
    move,
    shown: shownOf(move, phase, names),
    short: move === null ? "\u2013" : shortOf(move, phase),
    fault: moment.fault,
    intended: field(effect, "flipped") === true ? intended : null,
  };
}

function shownOf(move: string | null, phase: string, names: Table): string {
  if (move === null) return "no decision";
  return phase === "punish" ? shortOf(move, phase) : moveName(move, names);
}

function shortOf(move: string, phase: string): string {
  if (phase === "punish") return move === "none" ? "punishes nobody" : `punishes ${brief(move)}`;
  return move.replaceAll("_", " ");
}

/** A move by the name under which it was shown, with what that stands for where the two differ. */
function moveName(move: string, names: Table): string {
  const shown = textOf(field(names, move));
  return shown === null || shown === move ? move.replaceAll("_", " ") : `${shown}: ${move.replaceAll("_", " ")}`;
}

/** Payoffs of a step: a player's own, and of those who had no say what the others' effects tell. */
function paidBy(moment: Moment, paid: Map<string, number>): void {
  const effect = effectOf(moment);
  const own = numberOf(field(effect, "payoff"));
  if (own !== null) paid.set(moment.role, own);
  const others = listOf(field(tableOf(moment.view), "others"));
  const given = field(effect, "partner_payoff");
  const payoffs = Array.isArray(given) ? given : [given ?? null];
  others.forEach((other, place) => {
    const payoff = numberOf(payoffs[place]);
    if (typeof other === "string" && payoff !== null && !paid.has(other)) paid.set(other, payoff);
  });
}

function totalsOf(played: Round[], count: number): number[][] {
  const totals = [Array.from({ length: count }, () => 0)];
  for (const round of played) {
    totals.push((totals.at(-1) ?? []).map((sum, place) => sum + (round.earned[place] ?? 0)));
  }
  return totals;
}

function matrixOf(view: Table, looked: Moment, now: Round, players: Actor[]): Matrix | null {
  const payoffs = tableOf(field(view, "payoffs"));
  const moves = listOf(field(payoffs, "moves")).filter((move) => typeof move === "string");
  const row = players.find((player) => player.name === looked.role);
  const column = players.find((player) => player.name !== looked.role);
  const own = gridOf(payoffs, "own", moves.length);
  const partner = gridOf(payoffs, "partner", moves.length);
  if (!row || !column || !own || !partner || moves.length === 0) return null;
  const moveOf = (name: string) => now.made.find((made) => made.player === name && made.phase === "act")?.move ?? null;
  const theirs = moveOf(column.name) ?? textOf(field(effectOf(looked), "partner"));
  const cell: [number, number] = [moves.indexOf(moveOf(row.name) ?? ""), moves.indexOf(theirs ?? "")];
  const names = tableOf(field(view, "names"));
  return {
    row,
    column,
    moves,
    rowNames: moves.map((move) => moveName(move, names)),
    columnNames: moves.map((move) => moveName(move, names)),
    own,
    partner,
    cell: cell.includes(-1) ? null : cell,
  };
}

function gridOf(payoffs: Table, side: string, size: number): number[][] | null {
  const lines = listOf(field(payoffs, side)).map((line) => listOf(line).map((x) => numberOf(x) ?? NaN));
  const isWhole = lines.length === size && lines.every((line) => line.length === size && !line.some(Number.isNaN));
  return isWhole ? lines : null;
}

const VERBS = new Map([
  ["travelers_dilemma/act", "claims"],
  ["public_goods/act", "contributes"],
  ["trust/act", "sends"],
  ["trust/respond", "returns"],
  ["ultimatum/act", "offers"],
  ["dictator/act", "gives"],
]);

function amountsOf(episode: Episode, at: number, now: Round, players: Actor[]): Amount[] {
  const amounts: Amount[] = [];
  for (const made of now.made) {
    const moment = momentIn(episode, at, now.number, made);
    const view = tableOf(moment?.view);
    const grid = listOf(field(view, "grid")).map(numberOf).filter((x) => x !== null);
    const actor = players.find((player) => player.name === made.player);
    if (!actor || grid.length === 0) continue;
    const game = textOf(field(view, "game")) ?? "";
    amounts.push({
      actor,
      phase: made.phase,
      verb: VERBS.get(`${game}/${made.phase}`) ?? "chooses",
      amount: amountOf(made.move),
      least: game === "travelers_dilemma" ? Math.min(...grid) : 0,
      most: Math.max(...grid),
    });
  }
  return amounts;
}

function momentIn(episode: Episode, at: number, number: number, made: Made): Moment | undefined {
  const isThat = (moment: Moment | undefined) => {
    const view = tableOf(moment?.view);
    return field(view, "round") === number && field(view, "phase") === made.phase;
  };
  const step = episode.steps.slice(0, at + 1).findLast((each) => isThat(momentOf(each, made.player)));
  return momentOf(step, made.player);
}

/** The numbers that a game is played with: endowment, penalty, what has been received. */
function factsOf(view: Table): [string, string][] {
  const facts: [string, string][] = [];
  const add = (name: string, given: unknown) => {
    const isPlain = typeof given === "number" || typeof given === "string" || typeof given === "boolean";
    if (isPlain) facts.push([name.replaceAll("_", " "), String(given)]);
  };
  for (const [name, given] of Object.entries(tableOf(field(view, "parameters")))) if (name !== "step") add(name, given);
  if (field(view, "stake") !== 1) add("stake", field(view, "stake"));
  if (!facts.some(([name]) => name === "penalty")) add("penalty", field(view, "penalty"));
  add("received", field(view, "received"));
  return facts;
}

/** How the payoffs were put to the players, where that is not as the table has them. */
function framing(episode: Episode): [string, string][] {
  const currency = textOf(field(episode.condition, "currency")) ?? "points";
  const told: [string, string][] = field(episode.condition, "framing") === "loss" ? [["told as", "losses"]] : [];
  return currency === "points" ? told : [...told, ["in", currency]];
}

function saidOf(episode: Episode, step: number): GameScene["said"] {
  return (episode.steps[step]?.moments ?? [])
    .filter((moment) => moment.chosen === "SAY")
    .map((moment) => ({
      sender: moment.role,
      text: textOf(field(moment.arguments, "message")) ?? moment.message ?? "",
      promise: announced(moment),
    }));
}

function announced(moment: Moment): string | null {
  const move = textOf(field(moment.arguments, "promise"));
  return move === null || move === "none" ? null : `announces ${move}`;
}
