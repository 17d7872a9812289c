// The value graph: values at the height of their strength, an arrow from the value put first to the one behind.
import { useMemo, useState } from "preact/hooks";
import { useWidth } from "../scenes/parts";
import { Picture } from "../share/picture";
import { visible } from "../text";
import { count, figure } from "../words";
import { restingOn } from "./caption";
import { BOX, contested, LEFT, pictureOf, type Arrow, type Node } from "./layout";
import type { Edge, Group } from "./types";

interface DrawingProps {
  group: Group;
  edges: Edge[];
  over: string | null;
  under: string | null;
  node: string | null;
  onEdge: (edge: Edge) => void;
  onNode: (value: string) => void;
}

const LONGEST = 21;
/** What the page says beside the drawing. */
const KEY =
  "Height: strength in log-odds for each unit at stake. Arrow: from the value put first to the other; width: votes; blue: with the strengths, orange: against them; faint: fewer than 10 decisions; dashed value: no interval.";
const ZOOMS = [1, 1.5, 2, 3];

export function Drawing(props: DrawingProps) {
  const { place, width } = useWidth(720);
  const [zoom, setZoom] = useState(1);
  const at = ZOOMS.indexOf(zoom);
  const step = (by: number) => setZoom(ZOOMS[at + by] ?? zoom);
  return (
    <div ref={place} class="graph-drawing">
      <div class="graph-zoom" role="group" aria-label="Size of the graph">
        <button type="button" class="small quiet" aria-label="Smaller" disabled={at === 0} onClick={() => step(-1)}>
          −
        </button>
        <output>{figure(100 * zoom)} %</output>
        <button type="button" class="small quiet" aria-label="Larger" disabled={at === ZOOMS.length - 1} onClick={() => step(1)}>
          +
        </button>
      </div>
      <Picture name={`values-${props.group.name}`} label={`Values that the choices of ${props.group.name} put first`} caption={[...restingOn(props.group), KEY]}>
        <Drawn {...props} width={Math.round(width * zoom)} zoom={zoom} />
      </Picture>
    </div>
  );
}

function Drawn({ group, edges, over, under, node, onEdge, onNode, width, zoom }: DrawingProps & { width: number; zoom: number }) {
  const picture = useMemo(() => pictureOf(group, edges, width, zoom), [group, edges, width, zoom]);
  const isChosen = (edge: Edge) => (edge.over === over && edge.under === under) || (edge.over === under && edge.under === over);
  const isOf = (edge: Edge) => node !== null && (edge.over === node || edge.under === node);
  const isAny = over !== null || node !== null;
  return (
    <svg class="graph-svg" width={picture.width} height={picture.height} viewBox={`0 0 ${picture.width} ${picture.height}`} role="group" aria-label={`Value graph of ${visible(group.name)}`}>
      <Heads />
      <g class="graph-grid" aria-hidden="true">
        {picture.ticks.map((tick) => (
          <g key={tick.strength}>
            <line x1={LEFT - 6} x2={picture.width - 2} y1={tick.y} y2={tick.y} class={Math.abs(tick.strength) < 1e-9 ? "is-zero" : ""} />
            <text x={LEFT - 10} y={tick.y + 4} text-anchor="end">
              {figure(tick.strength)}
            </text>
          </g>
        ))}
        {picture.loose !== null && (
          <text x={LEFT} y={picture.loose + 4}>
            No strength: undetermined
          </text>
        )}
      </g>
      {picture.arrows.map((arrow) => (
        <EdgeDrawn
          key={`${arrow.edge.over}\u0000${arrow.edge.under}`}
          arrow={arrow}
          is={isChosen(arrow.edge) ? "is-chosen" : isAny && !isOf(arrow.edge) ? "is-aside" : ""}
          onEdge={onEdge}
        />
      ))}
      {picture.nodes.map((each) => (
        <NodeDrawn key={each.value.value} node={each} isChosen={each.value.value === node || each.value.value === over || each.value.value === under} onNode={onNode} />
      ))}
    </svg>
  );
}

function Heads() {
  return (
    <defs>
      {(["down", "up", "even"] as const).map((way) => (
        <marker key={way} id={`head-${way}`} viewBox="0 0 10 10" refX="2" refY="5" markerUnits="userSpaceOnUse" markerWidth="11" markerHeight="11" orient="auto">
          <path d="M0 0.5 L10 5 L0 9.5 Z" class={`graph-head is-${way}`} />
        </marker>
      ))}
    </defs>
  );
}

function pressed(event: KeyboardEvent, act: () => void): void {
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  act();
}

function EdgeDrawn({ arrow, is, onEdge }: { arrow: Arrow; is: string; onEdge: (edge: Edge) => void }) {
  const { edge } = arrow;
  const told = `${visible(edge.over)} before ${visible(edge.under)}: ${votesOf(edge)}`;
  const act = () => onEdge(edge);
  return (
    <g class={`graph-edge is-${arrow.way} ${arrow.isThin ? "is-thin" : ""} ${is}`} role="button" tabindex={0} aria-label={told} onClick={act} onKeyDown={(event) => pressed(event, act)}>
      <title>{told}</title>
      <path d={arrow.path} class="graph-hit" fill="none" stroke="transparent" stroke-width={Math.max(14, arrow.width + 8)} />
      <path d={arrow.path} class="graph-line" fill="none" stroke-width={arrow.width} marker-end={`url(#head-${arrow.way})`} />
    </g>
  );
}

export function votesOf(edge: Edge): string {
  return `${figure(edge.weight)} to ${figure(edge.against)} votes, in ${count(contested(edge), "decision")}`;
}

function NodeDrawn({ node, isChosen, onNode }: { node: Node; isChosen: boolean; onNode: (value: string) => void }) {
  const { value } = node;
  const name = visible(value.value);
  const act = () => onNode(value.value);
  const told = `${name}: ${value.strength === null ? "undetermined" : `strength ${figure(value.strength)}${value.low === null || value.high === null ? "" : `, ${figure(value.low)} to ${figure(value.high)}`}`}, at stake in ${count(value.choices, "choice")}`;
  const [left, top] = [node.x - BOX.width / 2, node.y - BOX.height / 2];
  return (
    <g class={`graph-node ${isChosen ? "is-chosen" : ""} ${value.identified ? "" : "is-unsure"}`} role="button" tabindex={0} aria-label={told} onClick={act} onKeyDown={(event) => pressed(event, act)}>
      <title>{told}</title>
      {Math.abs(node.at - node.y) > 1 && <path d={`M${left - 7} ${node.at} L${left} ${node.y}`} class="graph-lead" fill="none" />}
      <rect x={left} y={top} width={BOX.width} height={BOX.height} rx={7} />
      <text x={node.x} y={node.y + 4.5} text-anchor="middle">
        {name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}\u2026` : name}
      </text>
    </g>
  );
}
