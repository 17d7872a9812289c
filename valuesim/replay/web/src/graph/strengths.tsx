// Strengths with their 95 % intervals: dots and whiskers, one row a value; several groups side by side.
import { useWidth } from "../scenes/parts";
import { Text, visible } from "../text";
import { count, figure } from "../words";
import { Picture } from "../share/picture";
import { restingOn } from "./caption";
import { stepFor } from "./layout";
import { placed } from "./place";
import type { Group, Value } from "./types";

const ROW = 24;
const TOP = 24;
const NAMES = 150;
const WIDEST = 460;
const NARROWEST = 300;

/** Two places, and no sign on what is rounded to nothing. */
function fixed(x: number): string {
  const told = Math.abs(x).toFixed(2);
  return x < 0 && Number(told) > 0 ? `\u2212${told}` : told;
}

interface Scale {
  low: number;
  high: number;
}

function scaleOf(groups: Group[]): Scale {
  const ends = groups.flatMap((group) => group.values.flatMap((value) => [value.low ?? value.strength, value.high ?? value.strength])).filter((end): end is number => end !== null);
  return { low: Math.max(-40, Math.min(-0.5, ...ends)), high: Math.min(40, Math.max(0.5, ...ends)) };
}

export function Strengths({ group }: { group: Group }) {
  const known = group.values.filter((value) => value.strength !== null);
  const loose = group.values.filter((value) => value.strength === null);
  const { place, width } = useWidth(WIDEST);
  return (
    <section class="graph-strengths" ref={place}>
      <h2>Strengths</h2>
      <p class="small-text muted">
        Log-odds for each unit at stake, 0 being the mean of {group.components.length > 1 ? "those compared with it" : "all"}; the bar holds the strength with 95 %, clustered by {group.unit}.
      </p>
      {known.length > 0 && (
        <div class="graph-scroll" tabIndex={0} role="group" aria-label="Strengths as a picture">
          <Picture
            name={`strengths-${group.name}`}
            label={`Strengths of the values of ${group.name}`}
            caption={[...restingOn(group), `Strength in log-odds for each unit at stake; the bar holds it with 95 %, clustered by ${group.unit}.`]}
          >
            <Whiskers group={group} order={known} scale={scaleOf([group])} width={Math.min(WIDEST, Math.max(NARROWEST, width))} hasNames />
          </Picture>
        </div>
      )}
      <div class="graph-scroll" tabIndex={0} role="group" aria-label="Strengths as a table">
        <table class="graph-table">
          <thead>
            <tr>
              <th scope="col">Value</th>
              <th scope="col">Rank</th>
              <th scope="col">Strength</th>
              <th scope="col">95 %</th>
              <th scope="col">Choices</th>
              <th scope="col">{group.unit}s</th>
            </tr>
          </thead>
          <tbody>
            {[...known, ...loose].map((value) => (
              <Row key={value.value} value={value} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ value }: { value: Value }) {
  return (
    <tr>
      <th scope="row">
        <Text most={60}>{value.value}</Text>
        {value.reason !== null && (
          <span class="under">
            undetermined: <Text>{value.reason}</Text>
          </span>
        )}
        {value.separated && <span class="under">never contradicted: its strength is bounded by the prior alone</span>}
      </th>
      <td>{value.rank === null ? "–" : value.rank_low === value.rank_high ? value.rank : `${value.rank} (${value.rank_low}–${value.rank_high})`}</td>
      <td>{value.strength === null ? "–" : fixed(value.strength)}</td>
      <td>{value.low === null || value.high === null ? "–" : `${fixed(value.low)} to ${fixed(value.high)}`}</td>
      <td>{value.choices.toLocaleString("en")}</td>
      <td>{value.clusters.toLocaleString("en")}</td>
    </tr>
  );
}

interface WhiskersProps {
  group: Group;
  order: { value: string }[];
  scale: Scale;
  width: number;
  hasNames?: boolean;
}

function Whiskers({ group, order, scale, width, hasNames = false }: WhiskersProps) {
  const left = hasNames ? NAMES : 8;
  const across = (x: number) => left + ((Math.max(scale.low, Math.min(scale.high, x)) - scale.low) / (scale.high - scale.low)) * (width - left - 10);
  const step = stepFor((scale.high - scale.low) * (hasNames ? 1 : 2));
  const ticks: number[] = [];
  for (let x = Math.ceil(scale.low / step) * step; x <= scale.high + 1e-9; x += step) ticks.push(Math.abs(x) < 1e-9 ? 0 : x);
  const height = TOP + order.length * ROW + 4;
  const by = new Map(group.values.map((value) => [value.value, value]));
  return (
    <svg class="graph-whiskers" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Strengths with intervals of ${visible(group.name)}; the table tells the figures`}>
      {ticks.map((x) => (
        <g key={x} class="graph-grid">
          <line x1={across(x)} x2={across(x)} y1={TOP - 6} y2={height} class={Math.abs(x) < 1e-9 ? "is-zero" : ""} />
          <text x={across(x)} y={TOP - 10} text-anchor="middle">
            {figure(x)}
          </text>
        </g>
      ))}
      {order.map(({ value }, place) => {
        const own = by.get(value);
        const y = TOP + place * ROW + ROW / 2;
        return (
          <g key={value} class={`graph-whisker ${own?.identified ? "" : "is-unsure"}`}>
            {hasNames && (
              <text x={NAMES - 8} y={y + 4} text-anchor="end">
                {visible(value).length > 22 ? `${visible(value).slice(0, 21)}\u2026` : visible(value)}
              </text>
            )}
            {own && own.low !== null && own.high !== null && <line x1={across(own.low)} x2={across(own.high)} y1={y} y2={y} />}
            {own && own.strength !== null && <circle cx={across(own.strength)} cy={y} r={4} />}
          </g>
        );
      })}
    </svg>
  );
}

const MOST_BESIDE = 24;

/** All groups in small, on one scale and in one order, each with its n and faults; one is chosen for the graph. */
export function Beside({ groups, place, query }: { groups: Group[]; place: number; query: URLSearchParams }) {
  const order = (groups[place] ?? groups[0])?.values ?? [];
  const others = groups.flatMap((group) => group.values).filter((value) => !order.some((each) => each.value === value.value));
  const all = [...order, ...others.filter((value, at) => others.findIndex((each) => each.value === value.value) === at)];
  const scale = scaleOf(groups);
  return (
    <section class="graph-beside" aria-label="Groups side by side">
      <h2>Groups</h2>
      <p class="small-text muted">Strengths are comparable within a group: each is centred on its own values. Choose one for the graph.</p>
      <ul>
        {groups.slice(0, MOST_BESIDE).map((group, at) => (
          <li key={at} class={at === place ? "is-chosen" : ""}>
            <a href={placed(query, { group: String(at) })} aria-current={at === place ? "true" : undefined}>
              <Text most={80}>{group.name}</Text>
            </a>
            <span class="under">
              {count(group.decisions, "decision")}, {group.fault_rate === null ? "none made" : `${figure(100 * group.fault_rate)} % faults`}
              {!group.coherent && ", no coherent ranking"}
            </span>
            <div class="graph-scroll" tabIndex={0} role="group" aria-label={`Strengths of ${visible(group.name)}`}>
              <Whiskers group={group} order={all} scale={scale} width={290} hasNames />
            </div>
          </li>
        ))}
      </ul>
      {groups.length > MOST_BESIDE && <p class="muted">and {count(groups.length - MOST_BESIDE, "more group")}: choose one above.</p>}
    </section>
  );
}
