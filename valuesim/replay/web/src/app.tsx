import { useLayoutEffect, useRef } from "preact/hooks";
import { useAbout } from "./api";
import { BranchPage } from "./branch/page";
import { ComparePage } from "./branch/compare";
import { FindPage } from "./find/page";
import { GraphPage } from "./graph/page";
import { Guard } from "./guard";
import { BlindPage } from "./part/blind";
import { JudgedPage } from "./part/judged";
import { PartPage } from "./part/page";
import { PlayPage } from "./play/page";
import { findLink, graphLink, useRoute, type Route } from "./route";
import { SharedLine } from "./share/about";
import { isShared, offered } from "./shared";
import { Text } from "./text";
import { ThemeButton } from "./theme";
import { WatchPage } from "./watch/page";
import type { About } from "./types";
import { count } from "./words";

let lastFound = "#/";
let lastGraph = "#/graph";
// where an episode was opened from
let lastLooked = "#/";

/** The place as far as it is another page: steps and filters are not. */
function pageOf(route: Route): string {
  if (route.page === "play") return `play/${route.id}`;
  return "run" in route ? `${route.page}/${route.run}/${route.episode}` : route.page;
}

export function App() {
  const route = offered(useRoute());
  const about = useAbout();
  if (route.page === "find") lastFound = findLink(route.query);
  if (route.page === "graph") lastGraph = graphLink(route.query);
  if (route.page === "find" || route.page === "graph") lastLooked = route.page === "find" ? lastFound : lastGraph;
  const page = pageOf(route);
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    document.title = "episode" in route ? `${route.episode} \u2013 valuesim replay` : "valuesim replay";
    // who reads by ear, or by keys, is put at the beginning of what is new
    if (!isFirst.current) document.querySelector("main")?.focus();
    isFirst.current = false;
  }, [page]);
  return (
    <>
      {/* a link with a hash of its own would leave the page: it moves the focus instead */}
      <button type="button" class="skip" onClick={() => document.querySelector("main")?.focus()}>
        Skip to content
      </button>
      <Header about={about} at={route.page} />
      <SharedLine />
      <main tabIndex={-1}>
        <Guard at={location.hash} failed="This page could not be shown">
          <Page route={route} about={about} />
        </Guard>
      </main>
    </>
  );
}

function Page({ route, about }: { route: Route; about: About | null }) {
  if (route.page === "find") return <FindPage query={route.query} about={about} />;
  if (route.page === "graph") return <GraphPage query={route.query} about={about} />;
  if (route.page === "judged") return <JudgedPage />;
  if (route.page === "part") return <PartPage query={route.query} />;
  if (route.page === "play") return <PlayPage key={route.id} id={route.id} />;
  if (route.page === "missing") return <Missing path={route.path} />;
  if (route.page === "compare") return <ComparePage {...route} />;
  const key = `${route.run}/${route.episode}`;
  if (route.page === "episode") return <WatchPage key={key} {...route} back={lastLooked} />;
  if (route.page === "branch") return <BranchPage key={key} {...route} />;
  return <BlindPage key={key} {...route} />;
}

function Missing({ path }: { path: string }) {
  return (
    <section class="state">
      <h1>There is no such page</h1>
      <p>
        <Text>{path}</Text> leads nowhere. <a href="#/">{isShared ? "To what this file holds" : "All episodes"}</a>
      </p>
    </section>
  );
}

const PAGES: [page: Route["page"], title: string, link: string][] = [
  ["find", "Episodes", "#/"],
  ["graph", "Values", "#/graph"],
  ["part", "Take part", "#/part"],
];

function Pages({ at }: { at: Route["page"] }) {
  return (
    <nav class="pages" aria-label="Pages">
      {PAGES.map(([page, title, link]) => (
        <a key={page} href={page === "find" ? lastFound : page === "graph" ? lastGraph : link} aria-current={page === at ? "page" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

function Header({ about, at }: { about: About | null; at: Route["page"] }) {
  return (
    <header class="top">
      <a class="brand" href="#/">
        valuesim <span>replay</span>
      </a>
      {!isShared && <Pages at={at} />}
      <p class="muted top-about">
        {about && (
          <>
            <Text most={80}>{about.path}</Text> · {count(about.runs, "run")} · {count(about.episodes, "episode")} · {about.version}
            {about.reading > 0 && ` · reading ${count(about.reading, "run")}…`}
            {about.reading === 0 && about.pending > 0 && ` · working out archetypes of ${count(about.pending, "run")}…`}
          </>
        )}
      </p>
      <ThemeButton />
    </header>
  );
}
