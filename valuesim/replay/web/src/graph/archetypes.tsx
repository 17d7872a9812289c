// Which archetype the behaviour supports, and what speaks for and against each.
import { useState } from "preact/hooks";
import { Text, visible } from "../text";
import { count, figure, said } from "../words";
import { useWorked } from "./asking";
import { EvidenceShown } from "./evidence";
import { placed, questionOn } from "./place";
import type { Archetype, Archetypes, Conduct, Flag, Rate } from "./types";
import { Waiting } from "./waiting";

export function ArchetypePanel({ query, place }: { query: URLSearchParams; place: number }) {
  // it takes as long again as the graph: whoever wants it asks, or comes back to it
  const [isOpen, setOpen] = useState(query.has("of"));
  const { answer, error, progress } = useWorked<Archetypes>(isOpen ? questionOn("archetypes", query) : null);
  const own = answer?.groups[place];
  return (
    <details class="graph-archetypes" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <h2>Archetype, and the evidence for and against</h2>
      </summary>
      {error && (
        <p role="alert" class="note">
          <Text most={800}>{error.message}</Text>
        </p>
      )}
      {isOpen && !answer && !error && <Waiting progress={progress} />}
      {answer && !own && <p class="note">Of this group nothing is told.</p>}
      {answer && own && <Judged query={query} own={own} meanings={answer.meanings} place={place} />}
    </details>
  );
}

interface JudgedProps {
  query: URLSearchParams;
  own: Archetype;
  meanings: { [name: string]: string };
  place: number;
}

function Judged({ query, own, meanings, place }: JudgedProps) {
  const asked = query.get("of");
  return (
    <>
      <p class="graph-verdict">
        <strong>
          <Text most={60}>{own.archetype}</Text>
        </strong>
        {own.why && (
          <>
            : <Text most={1200}>{own.why}</Text>
          </>
        )}
      </p>
      <p class="small-text muted">
        {count(own.decisions, "decision")} where a transgression may be on offer
        {own.fault_rate !== null && `, ${figure(100 * own.fault_rate)} % faults`}
      </p>
      <Posterior query={query} own={own} meanings={meanings} asked={asked} />
      {asked !== null && <EvidenceShown query={query} place={place} name={asked} />}
      <Rates rates={own.rates} />
      <Flags own={own} meanings={meanings} query={query} />
      <Conducts own={own} meanings={meanings} />
    </>
  );
}

function Posterior({ query, own, meanings, asked }: Omit<JudgedProps, "place"> & { asked: string | null }) {
  const listed = Object.entries(own.posterior);
  if (listed.length === 0) return null;
  return (
    <section>
      <h3>Posterior probability</h3>
      <ul class="graph-bars">
        {listed.map(([name, share]) => (
          <li key={name}>
            <span class="graph-bar-name">{name === "none" ? <span class="muted">none of these</span> : <Text most={60}>{name}</Text>}</span>
            <Bar share={share} />
            <span class="graph-bar-figure">{share.toFixed(2)}</span>
            {name !== "none" && (
              <a class="small-text" href={placed(query, { of: name === asked ? null : name })} aria-label={name === asked ? `Hide the evidence on ${visible(name)}` : `Evidence on ${visible(name)}`}>
                {name === asked ? "hide the evidence" : "for and against"}
              </a>
            )}
            {meanings[name] !== undefined && <span class="under">{meanings[name]}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Bar({ share }: { share: number }) {
  return (
    <svg class="graph-bar" width="160" height="12" viewBox="0 0 160 12" aria-hidden="true">
      <rect class="graph-bar-ground" x="0" y="1" width="160" height="10" rx="2" />
      <rect class="graph-bar-share" x="0" y="1" width={Math.max(0, 160 * share)} height="10" rx="2" />
    </svg>
  );
}

/** A condition in words: the levels, and whether there was a threat. */
export function conditionOf(condition: { [key: string]: string | number | boolean | null }): string {
  const { threatened, scarcity, ...others } = condition;
  const parts = [...(scarcity === undefined ? [] : [said(scarcity)]), ...Object.entries(others).map(([name, level]) => `${name} ${said(level)}`)];
  if (threatened !== undefined && threatened !== null) parts.push(threatened ? "threatened" : "not threatened");
  return visible(parts.join(", ")) || "all levels";
}

function Rates({ rates }: { rates: Rate[] }) {
  const met = rates.filter((rate) => rate.opportunities > 0);
  if (met.length === 0) return null;
  return (
    <section>
      <h3>Transgressions, of opportunities</h3>
      <div class="graph-scroll" tabIndex={0} role="group" aria-label="Rates as a table">
        <table class="graph-table">
          <thead>
            <tr>
              <th scope="col">Condition</th>
              <th scope="col">Done</th>
              <th scope="col">Of</th>
              <th scope="col">Rate</th>
              <th scope="col">95 %</th>
            </tr>
          </thead>
          <tbody>
            {met.map((rate) => (
              <tr key={conditionOf(rate.condition)}>
                <th scope="row">{conditionOf(rate.condition)}</th>
                <td>{rate.transgressions}</td>
                <td>{rate.opportunities}</td>
                <td>{rate.rate === null ? "–" : `${figure(100 * rate.rate)} %`}</td>
                <td>{rate.low === null || rate.high === null ? "–" : `${figure(100 * rate.low)} to ${figure(100 * rate.high)} %`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Flags({ own, meanings, query }: { own: Archetype; meanings: { [name: string]: string }; query: URLSearchParams }) {
  if (own.flags.length === 0) return null;
  return (
    <section>
      <h3>Value signatures</h3>
      {!own.coherent && <p class="note">Undetermined: there is no coherent ranking, so that these are no evidence.</p>}
      <ul class="graph-flags">
        {own.flags.map((flag) => (
          <FlagShown key={flag.name} flag={flag} note={meanings[flag.name]} query={query} />
        ))}
      </ul>
    </section>
  );
}

function FlagShown({ flag, note, query }: { flag: Flag; note: string | undefined; query: URLSearchParams }) {
  return (
    <li>
      <strong>
        <Text most={60}>{flag.name}</Text>
      </strong>{" "}
      {flag.probability.toFixed(2)}: <Text most={60}>{flag.puts}</Text> over{" "}
      {flag.over.map((under, at) => (
        <span key={under}>
          {at > 0 && ", "}
          <a href={placed(query, { over: flag.puts, under, node: null, shown: null })}>
            <Text most={60}>{under}</Text>
          </a>
        </span>
      ))}
      <span class="under">
        margin {figure(flag.margin)} ({figure(flag.low)} to {figure(flag.high)}), {count(flag.decisions, "decision")}
        {note !== undefined && (
          <>
            {" · "}
            <Text>{note}</Text>
          </>
        )}
      </span>
    </li>
  );
}

function Conducts({ own, meanings }: { own: Archetype; meanings: { [name: string]: string } }) {
  if (own.conduct_name === null) return null;
  return (
    <section>
      <h3>
        Conduct in games: <Text most={60}>{own.conduct_name}</Text>
      </h3>
      <p class="small-text">
        {own.conduct_why && <Text most={800}>{own.conduct_why}</Text>}{" "}
        <span class="muted">
          {count(own.conduct_decisions ?? 0, "move")}, {count(own.conduct_faults ?? 0, "fault")}
        </span>
      </p>
      <ul class="graph-bars">
        {own.conduct.map((each) => (
          <ConductShown key={each.name} each={each} note={meanings[each.name]} />
        ))}
      </ul>
    </section>
  );
}

function ConductShown({ each, note }: { each: Conduct; note: string | undefined }) {
  return (
    <li>
      <span class="graph-bar-name">
        <Text most={60}>{each.name}</Text>
      </span>
      <Bar share={each.probability ?? 0} />
      <span class="graph-bar-figure">{each.probability === null ? "–" : each.probability.toFixed(2)}</span>
      <span class="under">
        {note !== undefined && <Text>{note}</Text>}
        {each.probability === null && (
          <>
            {" · undetermined: "}
            <Text>{each.why}</Text>
          </>
        )}
        {each.rates.map((rate) => ` · ${rate.name.replace(/_/g, " ")} ${rate.cooperated} of ${rate.moves} (${figure(100 * rate.low)} to ${figure(100 * rate.high)} %)`).join("")}
      </span>
    </li>
  );
}
