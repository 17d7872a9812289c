// The episodes found: a table, or cards where there is no room for one.
import { useLayoutEffect, useMemo } from "preact/hooks";
import { episodeLink } from "../route";
import { Text } from "../text";
import type { Facets, Row } from "../types";
import { figure, said, sum } from "../words";
import { look } from "./query";

/** The columns in their order: the name the server sorts by, and the title. */
export const COLUMNS = [
  ["run_name", "Episode"],
  ["env", "Environment"],
  ["agents", "Agents"],
  ["condition", "Condition"],
  ["steps", "Steps"],
  ["decisions", "Decisions"],
  ["faults", "Faults"],
  ["first", "Puts first"],
  ["archetype", "Archetype"],
] as const;

const NUMBERS = new Set(["steps", "decisions", "faults"]);
const MOST_NAMED = 3;
const MOST_LEVELS = 4;

interface EpisodeTableProps {
  rows: Row[];
  query: URLSearchParams;
  facets: Facets | null;
  isWaiting: boolean;
  /** Whether archetypes are still being worked out. */
  isPending: boolean;
}

export function EpisodeTable({ rows, query, facets, isWaiting, isPending }: EpisodeTableProps) {
  const sort = query.get("sort") ?? "";
  const varying = useMemo(() => varyingIn(rows, facets), [rows, facets]);
  // the rows are the same while another question waits for its answer: they are not made twice
  const shown = useMemo(
    () => rows.map((row) => <EpisodeRow key={`${row.run}/${row.episode}`} row={row} varying={varying} isPending={isPending} />),
    [rows, varying, isPending],
  );
  useLayoutEffect(focusOpened, []);
  return (
    <>
      <SortSelect query={query} sort={sort} />
      {/* the roles are told because cards, on a phone, would lose them with the table's layout */}
      <table class={`episodes${isWaiting ? " waiting" : ""}`} role="table" aria-busy={isWaiting}>
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map(([name, title]) => (
              <Head key={name} name={name} title={title} sort={sort} query={query} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {shown}
        </tbody>
      </table>
    </>
  );
}

let opened: string | null = null;

function noteOpened(row: Row): void {
  opened = episodeLink(row.run, row.episode);
}

/** Who comes back from an episode goes on where it stands. */
function focusOpened(): void {
  const links = document.querySelectorAll<HTMLAnchorElement>("a.episode-link");
  [...links].find((link) => link.getAttribute("href") === opened)?.focus();
  opened = null;
}

function Head({ name, title, sort, query }: { name: string; title: string; sort: string; query: URLSearchParams }) {
  const isUp = sort === name;
  const isDown = sort === `-${name}`;
  const is = NUMBERS.has(name) ? "number" : "";
  // figures are first asked for from the largest; a third click gives the runs' own order again
  const [first, second] = NUMBERS.has(name) ? [`-${name}`, name] : [name, `-${name}`];
  const next = sort === first ? second : sort === second ? "" : first;
  return (
    <th scope="col" role="columnheader" class={is} aria-sort={isUp ? "ascending" : isDown ? "descending" : "none"}>
      <button type="button" class="sort" onClick={() => look(query, (to) => (next ? to.set("sort", next) : to.delete("sort")))}>
        {title}
        <span aria-hidden="true" class="arrow">
          {isUp ? "▲" : isDown ? "▼" : ""}
        </span>
      </button>
    </th>
  );
}

function SortSelect({ query, sort }: { query: URLSearchParams; sort: string }) {
  return (
    <label class="field sort-select">
      <span>Order</span>
      <select
        value={sort}
        onChange={(event) => {
          const next = event.currentTarget.value;
          look(query, (to) => (next ? to.set("sort", next) : to.delete("sort")));
        }}
      >
        <option value="">as in the runs</option>
        {COLUMNS.flatMap(([name, title]) => [
          <option key={name} value={name}>
            {title}, rising
          </option>,
          <option key={`-${name}`} value={`-${name}`}>
            {title}, falling
          </option>,
        ])}
      </select>
    </label>
  );
}

function EpisodeRow({ row, varying, isPending }: { row: Row; varying: string[]; isPending: boolean }) {
  const faults = sum(Object.values(row.faults));
  const kinds = Object.entries(row.faults).map(([kind, n]) => `${kind} ${n}`);
  return (
    <tr role="row">
      <th scope="row" role="rowheader">
        <a class="episode-link" href={episodeLink(row.run, row.episode)} onClick={() => noteOpened(row)}>
          <Text most={60}>{row.run_name}</Text>
          <span class="under">
            <Text most={20}>{row.episode}</Text> · seed {row.seed}
          </span>
        </a>
      </th>
      <Cell label="Environment">
        <Text most={40}>{row.env}</Text>
      </Cell>
      <Cell label="Agents">
        <Names names={row.agents} />
        {row.models.length > 0 && (
          <span class="under">
            <Names names={row.models} />
          </span>
        )}
      </Cell>
      <Cell label="Condition">
        <Condition row={row} varying={varying} />
      </Cell>
      <Cell label="Steps" is="number">
        {figure(row.steps)}
      </Cell>
      <Cell label="Decisions" is="number">
        {figure(row.decisions)}
      </Cell>
      <Cell label="Faults" is="number">
        {faults ? (
          <span class="faulty" title={kinds.join(", ")}>
            {figure(faults)}
            <span class="unseen"> ({kinds.join(", ")})</span>
          </span>
        ) : (
          <span class="muted">0</span>
        )}
      </Cell>
      <Cell label="Puts first">{row.first === null ? <None /> : <Text most={40}>{row.first}</Text>}</Cell>
      <Cell label="Archetype">{row.archetype === null ? <None isPending={isPending} /> : <Text most={40}>{row.archetype}</Text>}</Cell>
    </tr>
  );
}

function Cell({ label, is = "", children }: { label: string; is?: string; children: preact.ComponentChildren }) {
  return (
    <td role="cell" class={is} data-label={label}>
      <span>{children}</span>
    </td>
  );
}

function None({ isPending = false }: { isPending?: boolean }) {
  return <span class="muted">{isPending ? "not known yet" : "undetermined"}</span>;
}

function Names({ names }: { names: string[] }) {
  const told = names.slice(0, MOST_NAMED);
  return (
    <>
      {told.map((name, place) => (
        <span key={place}>
          {place > 0 && ", "}
          <Text most={40}>{name}</Text>
        </span>
      ))}
      {names.length > MOST_NAMED && <span class="muted"> and {names.length - MOST_NAMED} more</span>}
    </>
  );
}

function Condition({ row, varying }: { row: Row; varying: string[] }) {
  const told = varying.filter((factor) => Object.hasOwn(row.condition, factor));
  if (told.length === 0) return <span class="muted">–</span>;
  return (
    <span class="levels">
      {told.slice(0, MOST_LEVELS).map((factor) => (
        <span key={factor} class="level">
          <span class="muted">
            <Text most={24}>{factor}</Text>
          </span>{" "}
          <Text most={40}>{said(row.condition[factor])}</Text>
        </span>
      ))}
      {told.length > MOST_LEVELS && <span class="muted">+{told.length - MOST_LEVELS}</span>}
    </span>
  );
}

/** Return the factors worth telling: those that vary among the rows shown first, then those that vary elsewhere. */
function varyingIn(rows: Row[], facets: Facets | null): string[] {
  const factors = facets ? Object.keys(facets.condition).filter((factor) => (facets.condition[factor]?.length ?? 0) > 1) : [];
  const isHere = (factor: string) => new Set(rows.filter((row) => Object.hasOwn(row.condition, factor)).map((row) => said(row.condition[factor]))).size > 1;
  const here = factors.filter(isHere);
  return [...here, ...factors.filter((factor) => !here.includes(factor))];
}
