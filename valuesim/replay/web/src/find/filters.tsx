// Search and filters: a list to choose from for each facet, and a chip for each choice made.
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Facets } from "../types";
import { Text, visible } from "../text";
import { chipsOf, conditionKey, FILTERS, look, titleOf, withFilter, withoutFilter } from "./query";

const TYPING = 250;
const LONGEST_LEVEL = 80;

type Level = [level: string, told: string];

export function Filters({ query, facets, search }: { query: URLSearchParams; facets: Facets | null; search: RefObject<HTMLInputElement | null> }) {
  const factors = facets ? Object.entries(facets.condition).filter(([, levels]) => levels.length > 1) : [];
  const isChosen = factors.some(([factor]) => query.has(conditionKey(factor)));
  return (
    <search class="filters">
      <SearchField query={query} search={search} />
      <details class="facets" open={useIsWide()}>
        <summary>Filters</summary>
        <div class="selects">
          {FILTERS.map(([key, title]) => (
            <Facet key={key} name={key} title={title} query={query} levels={facets ? levelsOf(facets, key) : []} />
          ))}
        </div>
      </details>
      {factors.length > 0 && (
        <details class="conditions" open={isChosen}>
          <summary>Conditions ({factors.length} vary)</summary>
          <div class="selects">
            {factors.map(([factor, levels]) => (
              <Facet
                key={factor}
                name={conditionKey(factor)}
                title={factor}
                query={query}
                levels={levels.map((level) => [level, level])}
              />
            ))}
          </div>
        </details>
      )}
      <Chips query={query} facets={facets} />
    </search>
  );
}

/** Whether there is room for all filters: elsewhere they stand behind a click. */
function useIsWide(): boolean {
  const wide = useRef(window.matchMedia("(min-width: 721px)"));
  const [isWide, setWide] = useState(wide.current.matches);
  useEffect(() => {
    const follow = () => setWide(wide.current.matches);
    wide.current.addEventListener("change", follow);
    return () => wide.current.removeEventListener("change", follow);
  }, []);
  return isWide;
}

function levelsOf(facets: Facets, key: (typeof FILTERS)[number][0]): Level[] {
  if (key === "run") return facets.runs.filter((run) => !run.error).map((run) => [run.run, run.branch ? `${run.name} (branch)` : run.name]);
  return facets[key].map((level) => [level, level]);
}

function SearchField({ query, search }: { query: URLSearchParams; search: RefObject<HTMLInputElement | null> }) {
  const waiting = useRef<number>(0);
  const given = query.get("text") ?? "";
  useEffect(() => {
    // the address changed elsewhere (back, a link): the field follows, but never under the writer's hands
    if (search.current && document.activeElement !== search.current) search.current.value = given;
    return () => clearTimeout(waiting.current);
  }, [given, query.toString()]);
  const send = (text: string) => look(query, (next) => (text ? next.set("text", text) : next.delete("text")), true);
  return (
    <label class="field search-field">
      <span>
        Search <kbd>/</kbd>
      </span>
      <input
        ref={search}
        type="search"
        defaultValue={given}
        placeholder="run, episode, agent, model"
        maxLength={200}
        autoComplete="off"
        spellcheck={false}
        onInput={(event) => {
          const text = event.currentTarget.value;
          clearTimeout(waiting.current);
          waiting.current = setTimeout(() => send(text), TYPING);
        }}
      />
    </label>
  );
}

function Facet({ name, title, query, levels }: { name: string; title: string; query: URLSearchParams; levels: Level[] }) {
  const chosen = query.getAll(name);
  const left = levels.filter(([level]) => !chosen.includes(level));
  return (
    <label class="field">
      <span>{visible(title)}</span>
      <select
        value=""
        disabled={left.length === 0}
        onChange={(event) => {
          const level = event.currentTarget.value;
          event.currentTarget.value = "";
          if (level !== "") look(query, (next) => withFilter(next, name, level.slice(1)));
        }}
      >
        <option value="">{chosen.length ? `${chosen.length} chosen` : levels.length ? "any" : "none here"}</option>
        {left.map(([level, told]) => (
          // the mark keeps an empty level apart from no choice
          <option key={level} value={`=${level}`}>
            {visible(told).slice(0, LONGEST_LEVEL) || "(empty)"}
          </option>
        ))}
      </select>
    </label>
  );
}

function Chips({ query, facets }: { query: URLSearchParams; facets: Facets | null }) {
  const chips = chipsOf(query);
  if (chips.length === 0 && !query.has("text")) return null;
  const told = (key: string, level: string) => (key === "run" && facets?.runs.find((run) => run.run === level)?.name) || level;
  return (
    <ul class="chips" aria-label="Filters that are set">
      {chips.map(({ key, level }) => (
        <li key={`${key}=${level}`}>
          <button type="button" class="chip" onClick={() => look(query, (next) => withoutFilter(next, key, level))}>
            <span class="muted">{visible(titleOf(key))}</span> <Text most={40}>{told(key, level) || "(empty)"}</Text>
            <span aria-hidden="true"> ×</span>
            <span class="unseen">, remove</span>
          </button>
        </li>
      ))}
      <li>
        <button
          type="button"
          class="small quiet"
          onClick={() =>
            look(query, (next) => {
              for (const key of ["text", ...chips.map((chip) => chip.key)]) next.delete(key);
            })
          }
        >
          Clear all
        </button>
      </li>
    </ul>
  );
}
