import { useEffect, useRef } from "preact/hooks";
import { useAbout } from "./api";
import { FindPage } from "./find/page";
import { Guard } from "./guard";
import { findLink, useRoute, type Route } from "./route";
import { Text } from "./text";
import { ThemeButton } from "./theme";
import { WatchPage } from "./watch/page";
import type { About } from "./types";
import { count } from "./words";

let lastFound = "#/";

/** The place as far as it is another page: steps and filters are not. */
function pageOf(route: Route): string {
  return route.page === "episode" ? `${route.run}/${route.episode}` : route.page;
}

export function App() {
  const route = useRoute();
  const about = useAbout();
  if (route.page === "find") lastFound = findLink(route.query);
  const page = pageOf(route);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = route.page === "episode" ? `${route.episode} \u2013 valuesim replay` : "valuesim replay";
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
      <Header about={about} />
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
  if (route.page === "episode") return <WatchPage key={`${route.run}/${route.episode}`} {...route} back={lastFound} />;
  return (
    <section class="state">
      <h1>There is no such page</h1>
      <p>
        <Text>{route.path}</Text> leads nowhere. <a href="#/">All episodes</a>
      </p>
    </section>
  );
}

function Header({ about }: { about: About | null }) {
  return (
    <header class="top">
      <a class="brand" href="#/">
        valuesim <span>replay</span>
      </a>
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
