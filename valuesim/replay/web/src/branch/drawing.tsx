// The tree of branches as a drawing; the list beside it says the same and is what is read by ear and by keys.
import { useWidth } from "../scenes/parts";
import { episodeLink } from "../route";
import { visible } from "../text";
import { lastStep, ticksOf, type Line } from "./layout";
import { changesOnOneLine } from "./said";

const ROW = 34;
const LEFT = 34;
const RIGHT = 22;
const TOP = 20;
const FOOT = 26;
const MOST_DRAWN = 40;
const CHARACTER = 7;
const TICK = 56;

export function Drawing({ lines }: { lines: Line[] }) {
  const { place, width } = useWidth(720);
  const drawn = lines.slice(0, MOST_DRAWN);
  const last = lastStep(drawn);
  const height = TOP + drawn.length * ROW + FOOT;
  const x = (step: number) => LEFT + (step / last) * (width - LEFT - RIGHT);
  const y = (row: number) => TOP + row * ROW;
  return (
    <div class="tree-drawing" ref={place}>
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
        <Axis ticks={ticksOf(last, Math.floor((width - LEFT) / TICK))} x={x} y={height - FOOT + 4} />
        {drawn.map((line) => (
          <Way key={line.row} line={line} x={x} y={y} width={width} />
        ))}
      </svg>
      {lines.length > drawn.length && <p class="muted small-text">The first {drawn.length} of {lines.length} are drawn.</p>}
    </div>
  );
}

function Axis({ ticks, x, y }: { ticks: number[]; x: (step: number) => number; y: number }) {
  return (
    <g class="tree-axis">
      {ticks.map((step) => (
        <g key={step}>
          <line x1={x(step)} x2={x(step)} y1={4} y2={y - 8} />
          <text x={x(step)} y={y + 8} text-anchor="middle">
            {step === 0 ? "step 0" : step}
          </text>
        </g>
      ))}
    </g>
  );
}

interface WayProps {
  line: Line;
  x: (step: number) => number;
  y: (row: number) => number;
  width: number;
}

function Way({ line, x, y, width }: WayProps) {
  const { node, row, above, from, to } = line;
  const [left, right, here] = [x(from), x(to), y(row)];
  const start = above === null ? `M ${left} ${here}` : `M ${left} ${y(above)} L ${left} ${here - 9} Q ${left} ${here} ${Math.min(left + 9, right)} ${here}`;
  const isOpen = node.state !== "finished";
  return (
    <a class={`tree-way${node.is_here ? " is-here" : ""}${isOpen ? " is-open" : ""}`} href={isOpen ? undefined : episodeLink(node.run, node.episode, node.step)} tabindex={-1}>
      <path d={`${start} L ${right} ${here}`} />
      {above !== null && <circle cx={left} cy={y(above)} r={3.5} />}
      <circle class="tree-end" cx={right} cy={here} r={node.is_here ? 6 : 4.5} />
      <text class="tree-row" x={LEFT - 14} y={here + 4} text-anchor="end">
        {row + 1}
      </text>
      <Label line={line} left={left} y={here} width={width} />
    </a>
  );
}

/** What was changed, above the line; where there is more room before its beginning, it ends there. */
function Label({ line: { node }, left, y, width }: { line: Line; left: number; y: number; width: number }) {
  const after = width - left - 12;
  const isBefore = after < 150 && left - LEFT > after;
  const room = Math.floor((isBefore ? left - LEFT - 10 : after) / CHARACTER);
  const told = visible(node.step === null ? "as it was first played" : changesOnOneLine(node.changes));
  const text = [...told].length > room ? `${[...told].slice(0, Math.max(1, room - 1)).join("")}\u2026` : told;
  return (
    <text class="tree-label" x={isBefore ? left - 8 : left + 10} y={isBefore ? y + 4 : y - 5} text-anchor={isBefore ? "end" : "start"}>
      {text}
    </text>
  );
}
