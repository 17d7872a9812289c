// Understand: what the decisions of a selection put first, and which archetype they speak for.
import { useMemo, useRef } from "preact/hooks";
import * as api from "../api";
import { Filters } from "../find/filters";
import { Guard } from "../guard";
import { Text, visible } from "../text";
import { count, figure, sum } from "../words";
import { ArchetypePanel } from "./archetypes";
import { useWorked } from "./asking";
import { Drawing } from "./drawing";
import { EdgeTable } from "./edges";
import { contested, drawn, majorities } from "./layout";
import { byOf, listLink, move, numberIn, placed, questionOn } from "./place";
import { Side } from "./side";
import { Beside, Strengths } from "./strengths";
import { Threshold } from "./threshold";
import type { About } from "../types";
import type { Graphs, Group } from "./types";
import { Waiting } from "./waiting";

const MOST_DRAWN = 40;
const MOST_NARROW = 20;
const NARROW = 720;

export function GraphPage({ query, about }: { query: URLSearchParams; about: About | null }) {
  const search = useRef<HTMLInputElement>(null);
  // once all runs are read, and whenever there are more episodes, the same is asked once more
  const edition = about && about.reading === 0 ? `${about.runs} ${about.episodes}` : "";
  const facets = api.useAnswer("facets", api.facets, edition);
  const { answer, error, progress } = useWorked<Graphs>(questionOn("graph", query), edition);
  return (
    <div class="graph">
      <header class="graph-top">
        <h1>What the choices put first</h1>
        <a href={listLink(query)}>Episodes of this selection</a>
      </header>
      <Filters query={query} facets={facets.answer} search={search} />
      {error && (
        <section class="state" role="alert">
          <h2>This could not be worked out</h2>
          <p>
            <Text most={1000}>{error.message}</Text>
          </p>
          <a href={placed(query, { by: null, group: null, over: null, under: null, node: null })}>Group by agent and model</a>
        </section>
      )}
      {!answer && !error && <Waiting progress={progress} />}
      {answer && <Shown query={query} graphs={answer} />}
    </div>
  );
}

function Shown({ query, graphs }: { query: URLSearchParams; graphs: Graphs }) {
  const given = numberIn(query, "group", 0);
  const place = given < graphs.groups.length ? given : 0;
  const group = graphs.groups[place];
  return (
    <>
      <Selected graphs={graphs} />
      <Chooser query={query} graphs={graphs} place={place} />
      {group ? (
        <Guard at={`${place} ${questionOn("graph", query)}`} failed="This group could not be shown">
          <GroupShown query={query} group={group} place={place} />
        </Guard>
      ) : (
        <p class="note">
          Nothing to rank: <Text>{graphs.why ?? "no episode is selected"}</Text>.
        </p>
      )}
      {graphs.groups.length > 1 && <Beside groups={graphs.groups} place={place} query={query} />}
      {group && <ArchetypePanel query={query} place={place} />}
    </>
  );
}

function Selected({ graphs }: { graphs: Graphs }) {
  const { selection } = graphs;
  const lost = sum(Object.values(graphs.unplaced));
  const notes = [
    ...graphs.notes,
    ...(lost ? [`interrupted, and not known of which group: ${count(lost, "episode")}`] : []),
    ...(selection.interrupted && !selection.is_whole
      ? [`${count(selection.interrupted, "episode")} of these runs were interrupted: they count nowhere, and no filter tells whether they belong here`]
      : []),
    ...(selection.branches && selection.runs.length > 1 ? ["branches are among the runs: what follows a change counts beside what was played"] : []),
  ];
  return (
    <>
      <p class="found">
        <strong>{count(selection.episodes, "episode")}</strong> of {count(selection.runs.length, "run")}, {count(selection.decisions, "decision")}
      </p>
      {notes.map((note) => (
        <p key={note} class="small-text muted">
          Note: <Text most={600}>{note}</Text>
        </p>
      ))}
    </>
  );
}

function Chooser({ query, graphs, place }: { query: URLSearchParams; graphs: Graphs; place: number }) {
  const asked = byOf(query).split(",");
  const apart = graphs.by.filter((key) => !asked.includes(key));
  const others = { group: null, over: null, under: null, node: null, shown: null };
  const left = graphs.offered.filter((key) => !asked.includes(key));
  return (
    <div class="graph-chooser">
      <fieldset>
        <legend>Groups by</legend>
        {asked.map((key) => (
          <button key={key} type="button" class="chip" disabled={asked.length === 1} onClick={() => move(query, { ...others, by: asked.filter((each) => each !== key).join(",") })}>
            <Text most={40}>{key}</Text>
            {asked.length > 1 && <span aria-hidden="true"> ×</span>}
            {asked.length > 1 && <span class="unseen">, remove</span>}
          </button>
        ))}
        <select
          aria-label="Add a key to group by"
          value=""
          onChange={(event) => {
            const key = event.currentTarget.value;
            event.currentTarget.value = "";
            if (key) move(query, { ...others, by: [...asked, key].join(",") });
          }}
        >
          <option value="">add…</option>
          {left.map((key) => (
            <option key={key} value={key}>
              {visible(key).slice(0, 60)}
            </option>
          ))}
        </select>
        {apart.length > 0 && (
          <span class="small-text muted">
            and <Text most={200}>{apart.join(", ")}</Text>, which are never pooled
          </span>
        )}
      </fieldset>
      {graphs.groups.length > 1 && (
        <label class="field">
          <span>Group shown ({graphs.groups.length})</span>
          <select value={String(place)} onChange={(event) => move(query, { group: event.currentTarget.value })}>
            {graphs.groups.map((group, at) => (
              <option key={at} value={String(at)}>
                {visible(group.name).slice(0, 120)}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

function GroupShown({ query, group, place }: { query: URLSearchParams; group: Group; place: number }) {
  const every = useMemo(() => majorities(group.edges), [group]);
  const asked = query.has("least") ? numberIn(query, "least", 1) : null;
  const { edges, least } = useMemo(() => drawn(every, asked, innerWidth > NARROW ? MOST_DRAWN : MOST_NARROW), [group, asked]);
  return (
    <>
      <Counts group={group} />
      {group.values.length > 0 && (
        <>
          <div class="graph-sides">
            <section aria-label="Value graph">
              <Threshold query={query} edges={every.map(contested)} least={least} shown={edges.length} isAsked={asked !== null} />
              <Drawing
                group={group}
                edges={edges}
                over={query.get("over")}
                under={query.get("under")}
                node={query.get("node")}
                onEdge={(edge) => move(query, { over: edge.over, under: edge.under, node: null, shown: null })}
                onNode={(value) => move(query, { node: value, over: null, under: null, shown: null })}
              />
              <Key />
            </section>
            <Side query={query} group={group} place={place} />
          </div>
          <Consistency group={group} />
          <div class="graph-figures">
            <Strengths group={group} />
            <EdgeTable edges={every} query={query} />
          </div>
        </>
      )}
    </>
  );
}

function Counts({ group }: { group: Group }) {
  const faults = Object.entries(group.faults);
  const lost = Object.entries(group.interrupted);
  // of no value is a strength known, though there may be an order in the choices
  const isBare = group.values.every((value) => value.strength === null);
  return (
    <section class="graph-counts">
      <h2>
        <Text most={160}>{group.name}</Text>
      </h2>
      <p>
        {count(group.decisions, "decision")} in {count(group.episodes, "episode")}: {count(group.contested, "contested choice")} in {count(group.clusters, group.unit)};{" "}
        {group.fault_rate === null ? "no faults, as nothing was decided" : `${figure(100 * group.fault_rate)} % faults`}
        {faults.length > 0 && (
          <>
            {" ("}
            <Text most={200}>{faults.map(([kind, n]) => `${kind} ${n}`).join(", ")}</Text>
            {"), which are no choice"}
          </>
        )}
        .
      </p>
      {!group.coherent && group.values.length > 0 && (
        <p class="note graph-warning">
          <strong>Undetermined.</strong> No coherent ranking: <Text most={400}>{group.coherence.reason}</Text>. What is drawn below was counted, and may be chance or habit; the order is not to be relied on.
        </p>
      )}
      {group.statement !== null && (group.coherent || group.values.length === 0 || !group.statement.includes(group.coherence.reason)) && (
        <p class={isBare ? "note graph-warning" : "note"}>
          {isBare && <strong>Undetermined. </strong>}
          <Text most={600}>{group.statement}</Text>
        </p>
      )}
      {lost.length > 0 && (
        <p class="small-text muted">
          Interrupted, and counted nowhere: <Text most={400}>{lost.map(([reason, n]) => `${reason} (${n})`).join("; ")}</Text>
        </p>
      )}
      {group.notes.map((note) => (
        <p key={note} class="small-text muted">
          Note: <Text most={600}>{note}</Text>
        </p>
      ))}
    </section>
  );
}

function Key() {
  return (
    <p class="graph-key small-text muted">
      <span class="is-down">→ with the strengths</span> <span class="is-up">→ against them</span> <span>→ even, or not compared</span> · width: votes · faint: fewer than 10 decisions · dashed value: no interval
    </p>
  );
}

function Consistency({ group }: { group: Group }) {
  const found = group.consistency;
  const percent = (share: number) => `${figure(100 * share)} %`;
  return (
    <section class="graph-consistency small-text">
      <h2>Consistency</h2>
      {found.gradient_share !== null && found.curl_share !== null ? (
        <p>
          {percent(found.gradient_share)} of the pairwise pattern is one order, {percent(found.curl_share)} cycles
          {found.null_curl_share !== null && ` (by chance: ${percent(found.null_curl_share)}${found.null_curl_high !== null ? `, up to ${percent(found.null_curl_high)}` : ""})`}.
        </p>
      ) : (
        <p>
          Undetermined: <Text most={300}>{found.reason ?? "too little was set against each other"}</Text>.
        </p>
      )}
      {found.cycles.slice(0, 3).map((cycle) => (
        <p key={cycle.join("\u0000")}>
          Cycle: <Text most={300}>{[...cycle, cycle[0] ?? ""].join(" > ")}</Text>
        </p>
      ))}
      <p class="muted">
        “Undetermined” says that the evidence is thin, or no better foreseen by values than by place and habit alone: nothing is claimed then. {group.coherent && <Text most={300}>{`Here ${group.coherence.reason}.`}</Text>}
      </p>
    </section>
  );
}
