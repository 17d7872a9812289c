// A table of the log as a list of names and values; what is nested stands as JSON.
import { Passage, Text } from "../text";
import type { Json, Moment, Table } from "../types";
import { isBare, said } from "../words";

const LONG = 120;
const MOST_FACTS = 200;

export function Facts({ table }: { table: Table | null }) {
  const told = Object.entries(table ?? {});
  if (told.length === 0) return <p class="muted">Nothing.</p>;
  return (
    <dl class="facts">
      {told.slice(0, MOST_FACTS).map(([name, value]) => (
        <div key={name}>
          <dt>
            <Text most={60}>{name}</Text>
          </dt>
          <dd>
            <Fact name={name} value={value} />
          </dd>
        </div>
      ))}
      {told.length > MOST_FACTS && <div class="muted">and {told.length - MOST_FACTS} more</div>}
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: Json }) {
  if (isBare(value)) return <span class="muted">{value === "" ? "(empty)" : "none"}</span>;
  const short = said(value);
  if (short.length <= LONG) return <Text>{short}</Text>;
  return <Passage text={typeof value === "string" ? value : JSON.stringify(value, null, 1)} label={name} />;
}

export function withPayoff(moment: Moment): Table {
  const effect: Table = typeof moment.effect === "object" && moment.effect !== null && !Array.isArray(moment.effect) ? moment.effect : { effect: moment.effect };
  return { payoff: moment.payoff, ...effect };
}
