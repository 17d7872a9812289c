// Beside the graph: the decisions behind an edge, both ways, or all edges of a value.
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { episodeLink } from "../route";
import { Text } from "../text";
import { count, figure } from "../words";
import { useWorked, type Worked } from "./asking";
import { votesOf } from "./drawing";
import { contested } from "./layout";
import { useArrival } from "./arrival";
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

interface PanelProps {
  query: URLSearchParams;
  label: string;
  title: ComponentChildren;
  children: ComponentChildren;
}

/** What is looked at: it is gone to when it is chosen, and left by Escape, back to where it was chosen. */
function Panel({ query, label, title, children }: PanelProps) {
  const { place, leave } = useArrival([query.get("over"), query.get("under"), query.get("node")].join("\u0000"));
  const close = () => {
    move(query, { over: null, under: null, node: null, shown: null });
    leave();
  };
  return (
    <aside ref={place} tabIndex={-1} class="graph-side" aria-label={label} onKeyDown={(event) => event.key === "Escape" && close()}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="small quiet" onClick={close}>
          Close
        </button>
      </header>
      {children}
    </aside>
  );
}

function edgeOf(group: Group, over: string, under: string): Edge | undefined {
  return group.edges.find((edge) => edge.over === over && edge.under === under);
}

function EdgeSide({ query, group, place, over, under }: SideProps & { over: string; under: string }) {
  const edge = edgeOf(group, over, under) ?? edgeOf(group, under, over);
  const isThere = [over, under].every((name) => group.values.some((value) => value.value === name));
  return (
    <Panel
      query={query}
      label="Decisions behind"
      title={
        <>
          <Text most={80}>{over}</Text> and <Text most={80}>{under}</Text>
        </>
      }
    >
      {edge ? (
        <p class="small-text muted">
          <Text most={80}>{edge.over}</Text> first: {votesOf(edge)}. {sure(edge)}
        </p>
      ) : (
        <p class="muted">{isThere ? "No decision sets these two against each other." : "In this group these two are not both at stake."}</p>
      )}
      {edge && <Directions key={`${place}\u0000${over}\u0000${under}`} query={query} place={place} over={over} under={under} />}
    </Panel>
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

function Directions({ query, place, over, under }: { query: URLSearchParams; place: number; over: string; under: string }) {
  const shown = Math.min(MOST, numberIn(query, "shown", FEW));
  const asked = (first: string, behind: string) => questionOn("behind", query, { group: String(place), over: first, under: behind, limit: String(shown) });
  const there = useLasting(useWorked<Listed>(asked(over, under)));
  const back = useLasting(useWorked<Listed>(asked(under, over)));
  // both at once: a list that comes in above another one moves what is about to be clicked
  const isThere = [there, back].every((each) => each.answer || each.error);
  if (!isThere) return <Waiting progress={there.progress ?? back.progress} />;
  return (
    <>
      <Direction query={query} shown={shown} over={over} under={under} found={there} />
      <Direction query={query} shown={shown} over={under} under={over} found={back} />
    </>
  );
}

/** What was answered stands until more of the same is there. */
function useLasting(found: Worked<Listed>): Worked<Listed> {
  const last = useRef(found.answer);
  if (found.answer) last.current = found.answer;
  return found.answer || found.error ? found : { ...found, answer: last.current };
}

interface DirectionProps {
  query: URLSearchParams;
  shown: number;
  over: string;
  under: string;
  found: Worked<Listed>;
}

function Direction({ query, shown, over, under, found: { answer, error } }: DirectionProps) {
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
      {taken && taken.text !== taken.name && (
        <p class="small-text">
          <Text most={160}>{taken.text}</Text>
        </p>
      )}
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
    <Panel query={query} label="Edges of a value" title={<Text most={80}>{node}</Text>}>
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
    </Panel>
  );
}
