// Where the lines of a tree of branches run: time to the right, a line per episode below the one that it leaves.
import type { Node } from "./contract";

export interface Line {
  node: Node;
  /** The row from the top, and that of the episode that it leaves; null for the first. */
  row: number;
  above: number | null;
  /** How many branches lie between it and the first. */
  depth: number;
  /** The steps at which it begins and ends; an episode that is not finished ends somewhere behind its beginning. */
  from: number;
  to: number;
}

/** Return the lines of a tree, from the top; none is drawn twice, and none left out. */
export function linesOf(root: Node): Line[] {
  const lines: Line[] = [];
  const waiting: { node: Node; above: number | null; depth: number }[] = [{ node: root, above: null, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const row = lines.length;
    const from = next.node.step ?? 0;
    lines.push({ ...next, row, from, to: Math.max(from + 1, next.node.steps ?? from + 1) });
    // the last to leave stands nearest, so that fewer lines cross
    for (const node of next.node.branches) waiting.push({ node, above: row, depth: next.depth + 1 });
  }
  return lines;
}

export function lastStep(lines: Line[]): number {
  return Math.max(1, ...lines.map((line) => line.to));
}

/** Return the steps to write below the drawing: at most `most` of them, evenly, as round numbers. */
export function ticksOf(last: number, most: number): number[] {
  const sizes = [1, 2, 5].flatMap((each) => [1, 10, 100, 1_000, 10_000, 100_000].map((ten) => each * ten)).sort((a, b) => a - b);
  const size = sizes.find((each) => last / each <= most) ?? last;
  return Array.from({ length: Math.floor(last / size) + 1 }, (_, place) => place * size);
}
