// What speaks for and against one archetype: by condition, by the clauses of its rule, by kind of act.
import { episodeLink } from "../route";
import { Text } from "../text";
import { count, figure } from "../words";
import { conditionOf } from "./archetypes";
import { useWorked } from "./asking";
import { questionOn } from "./place";
import type { Clause, Evidence, Taken, Weight } from "./types";
import { Waiting } from "./waiting";

export function EvidenceShown({ query, place, name }: { query: URLSearchParams; place: number; name: string }) {
  const { answer, error, progress } = useWorked<Evidence>(questionOn("archetypes", query, { group: String(place) }));
  const own = answer?.archetypes.find((each) => each.name === name);
  return (
    <section class="graph-evidence" aria-label={`Evidence on ${name}`}>
      <h3>
        For and against: <Text most={60}>{name}</Text>
      </h3>
      {error && (
        <p role="alert">
          <Text most={600}>{error.message}</Text>
        </p>
      )}
      {!answer && !error && <Waiting progress={progress} />}
      {answer && !own && (
        <p class="note">
          Nothing can be taken apart: <Text>{answer.reason ?? "no archetype of this name is judged by behaviour"}</Text>.
        </p>
      )}
      {answer && own && <TakenApart taken={own} evidence={answer} />}
    </section>
  );
}

function signed(x: number): string {
  return `${x > 0 ? "+" : x < 0 ? "\u2212" : ""}${Math.abs(x).toFixed(2)}`;
}

function TakenApart({ taken, evidence }: { taken: Taken; evidence: Evidence }) {
  return (
    <>
      {evidence.archetype === "undetermined" && (
        <p class="note">
          <strong>Undetermined</strong>, whatever stands below: <Text most={800}>{evidence.why}</Text>
        </p>
      )}
      <h4>How its log-odds are shared out among the conditions</h4>
      <div class="graph-scroll" tabIndex={0} role="group" aria-label="Log-odds by condition">
        <table class="graph-table">
          <tbody>
            <Added name="before anything was seen" log_odds={taken.prior} />
            {taken.contributions.map((each) => (
              <Added key={conditionOf(each.condition)} name={conditionOf(each.condition)} log_odds={each.log_odds} />
            ))}
            <tr class="is-sum">
              <th scope="row">together (posterior {taken.posterior.toFixed(2)})</th>
              <td />
              <td>{signed(taken.log_odds)}</td>
            </tr>
          </tbody>
        </table>
      </div>
      <p class="small-text muted">What was seen under each condition adds this much to the log-odds of {taken.name} against all else, as the mean over the orders in which conditions may be told. It says where the evidence lies, not what a condition brings about: that is for the rates below to tell. Of 4,000 draws nothing beyond 9 is told apart.</p>
      <h4>The conditions of its rule</h4>
      <ul class="graph-clauses">
        {taken.clauses.map((clause) => (
          <ClauseShown key={`${clause.figure} ${conditionOf(clause.condition)}`} clause={clause} />
        ))}
      </ul>
      <h4>What one act says</h4>
      <p class="small-text muted">How much more probable an act is of an agent of this kind than of any other (log of the ratio), the most telling first. Acts of one episode repeat each other: these do not add up.</p>
      <ul class="graph-weights">
        {taken.weights.map((weight) => (
          <WeightShown key={`${conditionOf(weight.condition)} ${weight.is_done}`} weight={weight} />
        ))}
      </ul>
    </>
  );
}

function Added({ name, log_odds }: { name: string; log_odds: number }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <Signed x={log_odds} />
      </td>
      <td>{signed(log_odds)}</td>
    </tr>
  );
}

function Signed({ x }: { x: number }) {
  const width = Math.min(1, Math.abs(x) / 9) * 70;
  return (
    <svg class="graph-signed" width="140" height="12" viewBox="0 0 140 12" aria-hidden="true">
      <line x1="70" x2="70" y1="0" y2="12" />
      <rect class={x >= 0 ? "is-for" : "is-against"} x={x >= 0 ? 70 : 70 - width} y="2" width={width} height="8" />
    </svg>
  );
}

const FIGURES = { rate: "rate of transgressions", players: "share of agents that transgress in an episode", ratio: "steps to a transgression, over blind choice", difference: "difference between rates" };

function ClauseShown({ clause }: { clause: Clause }) {
  const where = clause.figure === "difference" ? (Object.keys(clause.condition).length ? `within ${conditionOf(clause.condition)}` : "between levels") : conditionOf(clause.condition);
  return (
    <li class={clause.met >= 0.5 ? "is-for" : "is-against"}>
      <strong>{clause.met >= 0.5 ? "for" : "against"}</strong> {clause.met.toFixed(2)}: {FIGURES[clause.figure]}, {where}, {clause.is_below ? "below" : "above"} {clause.limit}
      {clause.of_any && " (one of these is enough)"}
      <span class="under">
        95 %: {figure(clause.low)} to {figure(clause.high)}
      </span>
    </li>
  );
}

function WeightShown({ weight }: { weight: Weight }) {
  const way = weight.log_odds === null ? "" : weight.log_odds >= 0 ? "is-for" : "is-against";
  return (
    <li class={way}>
      <strong>{weight.log_odds === null ? "undetermined" : `${weight.log_odds >= 0 ? "for" : "against"} ${signed(weight.log_odds)}`}</strong>{" "}
      {weight.is_done ? "transgressed" : "let it pass"}, {conditionOf(weight.condition)} ({count(weight.count, "decision")})
      <details>
        <summary class="small-text">Some of these decisions</summary>
        <ul>
          {weight.decisions.map((each) => (
            <li key={`${each.run}/${each.episode}/${each.step}/${each.role}`}>
              <a href={episodeLink(each.run, each.episode, each.step, each.role)}>
                <Text most={60}>{each.chosen ?? "(nothing)"}</Text>
              </a>{" "}
              <span class="muted small-text">
                step {each.step}, <Text most={40}>{each.role}</Text>, episode <Text most={20}>{each.episode}</Text>
              </span>
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}
