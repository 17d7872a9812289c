// Beside the graph: the decisions behind an edge, both ways, or all edges of a value.
import { episodeLink } from "../route";
import { Text } from "../text";
import { count, figure } from "../words";
import { useWorked } from "./asking";
import { votesOf } from "./drawing";
import { contested } from "./layout";
import { move, numberIn, placed, questionOn } from "./place";
import type { Behind, Edge, Group, Listed } from "./types";
import { Waiting } from "./waiting";

const FEW = 10;
const MOST = 200;

interface SideProps {
  query: URLSearchParams;
  group: Group;
  place: number;
}

export function Side({ query, group, place }: SideProps) {
  const [over, under, node] = [query.get("over"), query.get("under"), query.get("node")];
  if (over !== null && under !== null) return <EdgeSide query={query} group={group} place={place} over={over} under={under} />;
  if (node !== null) return <NodeSide query={query} group={group} node={node} />;
  return (
    <aside class="graph-side" aria-label="Decisions behind">
      <p class="muted">Choose an arrow to read the decisions behind it, or a value to see all of its arrows.</p>
    </aside>
  );
}

function Close({ query }: { query: URLSearchParams }) {
  return (
    <button type="button" class="small quiet" onClick={() => move(query, { over: null, under: null, node: null, shown: null })}>
      Close
    </button>
  );
}

function edgeOf(group: Group, over: string, under: string): Edge | undefined {
  return group.edges.find((edge) => edge.over === over && edge.under === under);
}

function EdgeSide({ query, group, place, over, under }: SideProps & { over: string; under: string }) {
  const edge = edgeOf(group, over, under) ?? edgeOf(group, under, over);
  const isThere = [over, under].every((name) => group.values.some((value) => value.value === name));
  return (
    <aside class="graph-side" aria-label="Decisions behind">
      <header>
        <h2>
          <Text most={80}>{over}</Text> and <Text most={80}>{under}</Text>
        </h2>
        <Close query={query} />
      </header>
      {edge ? (
        <p class="small-text muted">
          <Text most={80}>{edge.over}</Text> first: {votesOf(edge)}. {sure(edge)}
        </p>
      ) : (
        <p class="muted">{isThere ? "No decision sets these two against each other." : "In this group these two are not both at stake."}</p>
      )}
      {edge && <Direction query={query} place={place} over={over} under={under} />}
      {edge && <Direction query={query} place={place} over={under} under={over} />}
    </aside>
  );
}

function sure(edge: Edge): string {
  if (edge.probability === null) return "The two are not compared: which is the stronger is undetermined.";
  return `Posterior probability that it is the stronger: ${sureness(edge.probability)}.`;
}

/** Return a share of 1,000 draws, which never tells that something is sure. */
export function sureness(share: number): string {
  return share > 0.999 ? "> 0.999" : share < 0.001 ? "< 0.001" : share.toFixed(3);
}

function Direction({ query, place, over, under }: { query: URLSearchParams; place: number; over: string; under: string }) {
  const shown = Math.min(MOST, numberIn(query, "shown", FEW));
  const path = questionOn("behind", query, { group: String(place), over, under, limit: String(shown) });
  const { answer, error, progress } = useWorked<Listed>(path);
  return (
    <section class="graph-behind">
      <h3>
        <Text most={80}>{over}</Text> before <Text most={80}>{under}</Text>
      </h3>
      {error && (
        <p role="alert">
          <Text most={600}>{error.message}</Text>
        </p>
      )}
      {!answer && !error && <Waiting progress={progress} />}
      {answer && (
        <>
          <p class="small-text muted" role="status">
            {answer.total === 0 ? "No decision." : `${count(answer.total, "decision")}, ${figure(answer.votes)} votes; the most telling first.`}
          </p>
          <ol>
            {answer.decisions.map((each) => (
              <Decision key={`${each.run}/${each.episode}/${each.step}/${each.role}`} behind={each} over={over} under={under} />
            ))}
          </ol>
          {answer.total > shown && shown < MOST && (
            <a class="small-text" href={placed(query, { shown: String(Math.min(MOST, shown * 3)) })}>
              Show more of {count(answer.total, "decision")}
            </a>
          )}
        </>
      )}
    </section>
  );
}

function Decision({ behind, over, under }: { behind: Behind; over: string; under: string }) {
  const taken = behind.options.find((option) => option.name === behind.chosen);
  const left = behind.options.filter((option) => option !== taken);
  return (
    <li>
      <a href={episodeLink(behind.run, behind.episode, behind.step, behind.role)}>
        <Text most={60}>{behind.chosen ?? "(nothing)"}</Text>
      </a>{" "}
      <span class="muted small-text">
        step {behind.step}, <Text most={40}>{behind.role}</Text> (<Text most={40}>{behind.model ?? behind.agent}</Text>) in <Text most={40}>{behind.run_name}</Text> ·{" "}
        {figure(100 * behind.share)} % of its vote
      </span>
      {behind.rationale && (
        <p class="small-text">
          “<Text most={200}>{behind.rationale}</Text>”
        </p>
      )}
      <details>
        <summary class="small-text muted">{count(behind.options.length, "option")} and stakes</summary>
        <ul class="graph-options">
          {[...(taken ? [taken] : []), ...left].map((option) => (
            <li key={option.name} class={option === taken ? "is-taken" : ""}>
              <strong>
                <Text most={60}>{option.name}</Text>
              </strong>
              {option === taken && <span class="badge"> taken</span>}
              {option.text !== option.name && (
                <p class="small-text">
                  <Text most={400}>{option.text}</Text>
                </p>
              )}
              <p class="small-text muted">{<Stakes stakes={option.stakes} first={[over, under]} />}</p>
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}

function Stakes({ stakes, first }: { stakes: { [value: string]: number }; first: string[] }) {
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : 2);
  const listed = Object.entries(stakes).sort((a, b) => rank(a[0]) - rank(b[0]) || Math.abs(b[1]) - Math.abs(a[1]));
  if (listed.length === 0) return <>nothing at stake</>;
  return (
    <>
      {listed.map(([value, stake], place) => (
        <span key={value}>
          {place > 0 && ", "}
          <Text most={40}>{value}</Text> {stake > 0 ? "+" : "\u2212"}
          {figure(Math.abs(stake))}
        </span>
      ))}
    </>
  );
}

function NodeSide({ query, group, node }: { query: URLSearchParams; group: Group; node: string }) {
  const value = group.values.find((each) => each.value === node);
  const own = group.edges.filter((edge) => edge.over === node || (edge.under === node && edge.against_decisions === 0));
  own.sort((a, b) => contested(b) - contested(a));
  return (
    <aside class="graph-side" aria-label="Edges of a value">
      <header>
        <h2>
          <Text most={80}>{node}</Text>
        </h2>
        <Close query={query} />
      </header>
      {value ? (
        <p class="small-text muted">
          At stake in {count(value.choices, "choice")} of {count(value.clusters, group.unit)}.{" "}
          {value.reason !== null && (
            <>
              Undetermined: <Text>{value.reason}</Text>.
            </>
          )}
        </p>
      ) : (
        <p class="muted">This value is not at stake in this group.</p>
      )}
      <ul class="graph-edges-of">
        {own.map((edge) => (
          <li key={`${edge.over}\u0000${edge.under}`}>
            <a href={placed(query, { over: edge.over, under: edge.under, node: null, shown: null })}>
              <Text most={60}>{edge.over}</Text> before <Text most={60}>{edge.under}</Text>
            </a>
            <span class="muted small-text"> {votesOf(edge)}</span>
          </li>
        ))}
      </ul>
    </aside>
  );
}
