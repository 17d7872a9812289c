// Where values and edges stand in the picture: strength is the height, columns keep names and edges apart.
import type { Edge, Group, Value } from "./types";

export const BOX = { width: 148, height: 28 };
export const LEFT = 46;
const TOP = 26;
const GAP = 12;
const LOOSE = 20;

export interface Node {
  value: Value;
  x: number;
  /** The middle of its box, and where its strength is. */
  y: number;
  at: number;
}

export interface Arrow {
  edge: Edge;
  from: Node;
  to: Node;
  path: string;
  width: number;
  /** With the strengths, against them, or neither. */
  way: "down" | "up" | "even";
  isThin: boolean;
}

export interface Tick {
  y: number;
  strength: number;
}

export interface Picture {
  width: number;
  height: number;
  nodes: Node[];
  arrows: Arrow[];
  ticks: Tick[];
  /** Where values without a strength begin; null where there is none. */
  loose: number | null;
}

/** So few decisions are thin evidence. */
export const THIN = 10;

/** Return one edge a pair: that of the majority. */
export function majorities(edges: Edge[]): Edge[] {
  return edges.filter((edge) => edge.weight > edge.against || (edge.weight === edge.against && edge.over < edge.under));
}

/** Return how many decisions set the two against each other. */
export function contested(edge: Edge): number {
  return edge.decisions + edge.against_decisions;
}

/**
 * Return the edges to draw, and the least decisions that they have. Unless so many decisions are asked for, it is at most
 * `most` edges: those with most decisions, and of equal ones those with the largest majority.
 */
export function drawn(edges: Edge[], asked: number | null, most: number): { edges: Edge[]; least: number } {
  if (asked !== null) return { edges: edges.filter((edge) => contested(edge) >= asked), least: asked };
  const sorted = [...edges].sort((a, b) => contested(b) - contested(a) || b.weight - b.against - (a.weight - a.against));
  const shown = sorted.slice(0, most);
  return { edges: shown, least: Math.min(...shown.map(contested), Infinity) };
}

export function pictureOf(group: Group, edges: Edge[], width: number, zoom = 1): Picture {
  const columns = Math.max(2, Math.min(7, Math.floor((width - LEFT) / (BOX.width + 30))));
  const known = group.values.filter((value) => value.strength !== null);
  if (known.length === 0) return ringOf(group.values, edges, width);
  const others = group.values.filter((value) => value.strength === null);
  const height = zoom * Math.max(420, Math.min(900, 200 + 56 * Math.ceil((known.length * 2) / columns)));
  const scale = scaleOf(known, height);
  const nodes = stacked(known, edges, columns, width, scale.at);
  const bottom = Math.max(height, ...nodes.map((node) => node.y + BOX.height));
  const loose = others.length ? bottom + LOOSE : null;
  const across = (column: number) => LEFT + BOX.width / 2 + 8 + (column * (width - LEFT - BOX.width - 16)) / Math.max(1, columns - 1);
  others.forEach((value, place) => {
    const y = bottom + LOOSE + 26 + Math.floor(place / columns) * (BOX.height + GAP);
    nodes.push({ value, x: across(place % columns), y, at: y });
  });
  const last = nodes.length ? Math.max(...nodes.map((node) => node.y)) : bottom;
  return { width, height: Math.max(bottom, last + BOX.height), nodes, arrows: arrowsOf(edges, nodes), ticks: scale.ticks, loose };
}

/** Without any strength there is no height to stand at: values stand in a ring, two in a row. */
function ringOf(values: Value[], edges: Edge[], width: number): Picture {
  const rows = Math.ceil((values.length + 1) / 2);
  const gap = Math.max(BOX.height + GAP, Math.min(110, 360 / rows));
  const widest = (width - BOX.width) / 2 - 4;
  const nodes = values.map((value, place) => {
    const row = Math.ceil(place / 2);
    const y = 2 * TOP + BOX.height / 2 + row * gap;
    // the first stands alone, and so does the last of an even number
    const isAlone = place === 0 || (row === rows - 1 && values.length % 2 === 0);
    const aside = isAlone ? 0 : Math.max(BOX.width / 2 + GAP, widest * Math.sin((Math.PI * row) / Math.max(1, rows - 1)));
    return { value, x: width / 2 + Math.min(widest, aside) * (place % 2 ? 1 : -1), y, at: y };
  });
  return { width, height: 2 * TOP + rows * gap, nodes, arrows: arrowsOf(edges, nodes), ticks: [], loose: TOP / 2 };
}

function scaleOf(known: Value[], height: number) {
  const strengths = known.map((value) => value.strength ?? 0);
  const most = Math.max(0.5, ...strengths);
  const least = Math.min(-0.5, ...strengths);
  const at = (strength: number) => TOP + ((most - strength) / (most - least)) * (height - 2 * TOP - 10);
  const step = stepFor(most - least);
  const ticks: Tick[] = [];
  for (let strength = Math.ceil(least / step) * step; strength <= most + 1e-9; strength += step) ticks.push({ y: at(strength), strength: Math.abs(strength) < 1e-9 ? 0 : strength });
  return { at, ticks };
}

export function stepFor(span: number): number {
  return [0.25, 0.5, 1, 2, 5, 10, 20, 50].find((step) => span / step <= 7) ?? 100;
}

/** Put each value, the strongest first, into the column where the fewest edges run behind others. */
function stacked(known: Value[], edges: Edge[], columns: number, width: number, at: (strength: number) => number): Node[] {
  const across = (column: number) => LEFT + BOX.width / 2 + 8 + (column * (width - LEFT - BOX.width - 16)) / Math.max(1, columns - 1);
  const ends: number[] = Array.from({ length: columns }, () => -Infinity);
  const filled: Node[][] = Array.from({ length: columns }, () => []);
  const ordered = [...known].sort((a, b) => (b.strength ?? 0) - (a.strength ?? 0));
  return ordered.map((value) => {
    const y = at(value.strength ?? 0);
    const costs = ends.map((end, column) => {
      const late = Math.max(0, end + BOX.height + GAP - y);
      const own = filled[column] ?? [];
      const behind = edges.filter((edge) => own.slice(0, -1).some((node) => isBetween(edge, node.value.value, value.value))).length;
      return late * 3 + behind * 14 + own.length * 22 + Math.abs(column - (columns - 1) / 2) * 4;
    });
    const column = costs.indexOf(Math.min(...costs));
    const node = { value, x: across(column), y: Math.max(y, (ends[column] ?? -Infinity) + BOX.height + GAP), at: y };
    ends[column] = node.y;
    filled[column]?.push(node);
    return node;
  });
}

function isBetween(edge: Edge, one: string, other: string): boolean {
  return (edge.over === one && edge.under === other) || (edge.over === other && edge.under === one);
}

function arrowsOf(edges: Edge[], nodes: Node[]): Arrow[] {
  const by = new Map(nodes.map((node) => [node.value.value, node]));
  const most = Math.max(1, ...edges.map((edge) => edge.weight + edge.against));
  const found = edges.flatMap((edge) => {
    const from = by.get(edge.over);
    const to = by.get(edge.under);
    return from && to ? [arrow(edge, from, to, most)] : [];
  });
  // the heaviest are drawn last, on top
  return found.sort((a, b) => a.width - b.width);
}

function arrow(edge: Edge, from: Node, to: Node, most: number): Arrow {
  const [strong, weak] = [from.value.strength, to.value.strength];
  const isKnown = strong !== null && weak !== null && from.value.component === to.value.component;
  const way = edge.weight === edge.against || !isKnown ? "even" : (strong ?? 0) >= (weak ?? 0) ? "down" : "up";
  const width = 1.2 + 6.8 * Math.sqrt((edge.weight + edge.against) / most);
  return { edge, from, to, path: curve(from, to, width), width, way, isThin: contested(edge) < THIN };
}

/** Return a curve between the boxes, bent where a straight line would run through what stands between. */
function curve(from: Node, to: Node, width: number): string {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const bend = bendOf(dx, dy, length, from.x <= LEFT + BOX.width);
  const middle = { x: (from.x + to.x) / 2 - (dy / length) * bend * (dy < 0 ? -1 : 1), y: (from.y + to.y) / 2 + (dx / length) * bend };
  const begin = border(from, middle, 1);
  const end = border(to, middle, 5 + width);
  return `M${begin.x.toFixed(1)} ${begin.y.toFixed(1)} Q${middle.x.toFixed(1)} ${middle.y.toFixed(1)} ${end.x.toFixed(1)} ${end.y.toFixed(1)}`;
}

/** Edges within a column go around what stands between, and so do those along a row; others are nearly straight. */
function bendOf(dx: number, dy: number, length: number, isFirst: boolean): number {
  if (Math.abs(dx) < BOX.width) return Math.min(95, 26 + Math.abs(dy) * 0.16) * (isFirst ? 1 : -1);
  if (Math.abs(dy) < 2 * BOX.height && Math.abs(dx) > 1.6 * BOX.width) return Math.min(80, 30 + Math.abs(dx) * 0.06) * (dx > 0 ? -1 : 1);
  return Math.min(24, length * 0.07);
}

/** Return where the line from the middle of a box towards a point leaves it, `away` from it. */
function border(node: Node, towards: { x: number; y: number }, away: number) {
  const [dx, dy] = [towards.x - node.x, towards.y - node.y];
  const length = Math.hypot(dx, dy) || 1;
  const inside = Math.min(BOX.width / 2 / Math.max(Math.abs(dx), 1e-6), BOX.height / 2 / Math.max(Math.abs(dy), 1e-6));
  return { x: node.x + dx * inside + (dx / length) * away, y: node.y + dy * inside + (dy / length) * away };
}
