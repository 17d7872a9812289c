// Find: all episodes below the path, by filter, search, order and page; all of it in the address.
import { useLayoutEffect, useRef } from "preact/hooks";
import * as api from "../api";
import { selectionOf } from "../graph/place";
import { Guard } from "../guard";
import { BeingPlayed, liveEdition, useLive } from "../live/strip";
import { findLink, go, graphLink } from "../route";
import { Text } from "../text";
import type { About, Facets } from "../types";
import { count } from "../words";
import { Filters } from "./filters";
import { chipsOf, offsetOf, PAGE, questionOf } from "./query";
import { EpisodeTable } from "./table";

export function FindPage({ query, about }: { query: URLSearchParams; about: About | null }) {
  const search = useRef<HTMLInputElement>(null);
  // runs grow, new ones appear, archetypes get known: the same question is then asked once more
  const live = useLive();
  const edition = useEdition(about) + liveEdition(live);
  const facets = api.useAnswer("facets", api.facets, edition);
  const question = questionOf(query);
  const { answer, error, isWaiting } = api.useAnswer(question, (signal) => api.episodes(question, signal), edition);
  const total = answer?.total ?? 0;
  const turn = (pages: number) => go(pageLink(query, total, pages));
  useKeys(search, turn);
  return (
    <div class="find">
      <h1 class="unseen">Episodes</h1>
      <Guard at="" failed="What is being played could not be shown">
        <BeingPlayed runs={live} />
      </Guard>
      <Filters query={query} facets={facets.answer} search={search} />
      <Unreadable facets={facets.answer} />
      <p class="found" role="status">
        {answer ? <Found total={total} offset={offsetOf(query)} shown={answer.rows.length} /> : isWaiting ? "Looking…" : ""}
        {total > 0 && (
          <>
            {" · "}
            <a href={graphLink(selectionOf(query))}>Values of this selection</a>
          </>
        )}
      </p>
      {error && !isWaiting && <Trouble error={error} />}
      {answer && answer.rows.length > 0 && <EpisodeTable rows={answer.rows} query={query} facets={facets.answer} isWaiting={isWaiting} isPending={(about?.pending ?? 0) > 0} />}
      {answer && answer.rows.length === 0 && <Nothing query={query} total={total} />}
      {answer && total > PAGE && <Pages query={query} total={total} />}
      <p class="hint muted">
        <kbd>/</kbd> search · <kbd>j</kbd> <kbd>k</kbd> up and down · <kbd>Enter</kbd> open · <kbd>n</kbd> <kbd>p</kbd> next and previous page
      </p>
    </div>
  );
}

/** Return "" until what there is differs from what there was at first. */
function useEdition(about: About | null): string {
  const first = useRef<string | null>(null);
  if (!about) return "";
  const now = `${about.runs} ${about.episodes} ${about.reading} ${about.pending}`;
  first.current ??= now;
  return now === first.current ? "" : now;
}

function Found({ total, offset, shown }: { total: number; offset: number; shown: number }) {
  const range = shown > 0 && total > shown ? ` · ${offset + 1}–${offset + shown}` : "";
  return (
    <>
      <strong>{count(total, "episode")}</strong>
      {range}
    </>
  );
}

/** Runs that could not be read: named with the reason, and in nobody's way. */
function Unreadable({ facets }: { facets: Facets | null }) {
  const broken = facets?.runs.filter((run) => run.error) ?? [];
  if (broken.length === 0) return null;
  return (
    <details class="broken">
      <summary>{count(broken.length, "run")} could not be read</summary>
      <ul>
        {broken.map((run) => (
          <li key={run.run}>
            <Text most={80}>{run.name}</Text>: <Text>{run.error ?? ""}</Text>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Trouble({ error }: { error: Error }) {
  return (
    <section class="state" role="alert">
      <h2>The episodes could not be listed</h2>
      <p>
        <Text most={1000}>{error.message}</Text>
      </p>
      <button type="button" onClick={() => location.reload()}>
        Try again
      </button>
    </section>
  );
}

function Nothing({ query, total }: { query: URLSearchParams; total: number }) {
  const isFiltered = chipsOf(query).length > 0 || query.has("text");
  return (
    <section class="state">
      <h2>{total > 0 ? "This page is behind the last" : isFiltered ? "No episode is like that" : "No episode is finished yet"}</h2>
      <p>{isFiltered || total > 0 ? <a href="#/">Show all episodes</a> : "They appear here when they are."}</p>
    </section>
  );
}

function pageLink(query: URLSearchParams, total: number, pages: number): string {
  const next = new URLSearchParams(query);
  const last = Math.max(0, Math.floor((total - 1) / PAGE) * PAGE);
  const offset = Math.min(last, Math.max(0, offsetOf(query) + pages * PAGE));
  if (offset > 0) next.set("offset", String(offset));
  else next.delete("offset");
  return findLink(next);
}

function Pages({ query, total }: { query: URLSearchParams; total: number }) {
  const last = Math.ceil(total / PAGE);
  const page = Math.floor(offsetOf(query) / PAGE) + 1;
  const to = (pages: number, title: string, isThere: boolean) =>
    isThere ? (
      <a class="page" href={pageLink(query, total, pages)}>
        {title}
      </a>
    ) : (
      <span class="page off">{title}</span>
    );
  return (
    <nav class="pages" aria-label="Pages">
      {to(1 - page, "First", page > 1)}
      {to(-1, "Previous", page > 1)}
      <span>
        page {page.toLocaleString("en")} of {last.toLocaleString("en")}
      </span>
      {to(1, "Next", page < last)}
      {to(last - page, "Last", page < last)}
    </nav>
  );
}

function useKeys(search: preact.RefObject<HTMLInputElement | null>, turn: (pages: number) => void): void {
  const now = useRef(turn);
  now.current = turn;
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (target === search.current && event.key === "Escape") return target.blur();
      if (target.closest("input, select, textarea")) return;
      if (event.key === "/") search.current?.focus();
      else if (event.key === "j" || event.key === "ArrowDown") move(1);
      else if (event.key === "k" || event.key === "ArrowUp") move(-1);
      else if (event.key === "n") now.current(1);
      else if (event.key === "p") now.current(-1);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}

/** Move the focus to the next or the previous episode; Enter then opens it, being a link. */
function move(by: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("a.episode-link")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
  links[next]?.focus();
}
