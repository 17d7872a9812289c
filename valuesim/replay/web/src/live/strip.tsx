// What is being played now, above the list; nothing where nothing is.
import { useEffect, useState } from "preact/hooks";
import { asked } from "../api";
import { episodeLink } from "../route";
import { Text } from "../text";
import { count } from "../words";

const AGAIN_MS = 3_000;
const MOST_SHOWN = 6;

interface OpenEpisode {
  episode: string;
  env: string | null;
  agents: string[];
  step: number;
  decisions: number;
  faults: number;
}

interface LiveRun {
  run: string;
  run_name: string;
  episodes_open: OpenEpisode[];
  open: number;
  finished: number;
  planned: number | null;
  rate: number;
  last: number;
}

export function useLive(): LiveRun[] {
  const [runs, setRuns] = useState<LiveRun[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    let next = 0;
    const again = async () => {
      if (document.visibilityState === "visible") {
        const found = await asked<{ runs: LiveRun[] }>("/api/live", stop.signal).catch(() => null);
        if (stop.signal.aborted) return;
        setRuns(found?.runs ?? []);
      }
      next = setTimeout(again, AGAIN_MS);
    };
    void again();
    return () => {
      stop.abort();
      clearTimeout(next);
    };
  }, []);
  return runs;
}

/** What changes whenever an episode is finished somewhere. */
export function liveEdition(runs: LiveRun[]): string {
  return runs.map((run) => `${run.run}:${run.finished}`).join(" ");
}

export function BeingPlayed({ runs }: { runs: LiveRun[] }) {
  if (runs.length === 0) return null;
  return (
    <section class="being-played" aria-labelledby="being-played">
      <h2 id="being-played">Being played now</h2>
      <ul>
        {runs.map((run) => (
          <li key={run.run}>
            <p>
              <strong>
                <Text most={80}>{run.run_name}</Text>
              </strong>{" "}
              <span class="muted">{toldOf(run)}</span>
            </p>
            <ul class="live-episodes">
              {run.episodes_open.slice(0, MOST_SHOWN).map((each) => (
                <li key={each.episode}>
                  <Open run={run.run} each={each} />
                </li>
              ))}
              {run.open > MOST_SHOWN && <li class="muted">and {count(run.open - MOST_SHOWN, "more episode")}</li>}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Open({ run, each }: { run: string; each: OpenEpisode }) {
  const faults = each.faults > 0 ? ` · ${count(each.faults, "fault")}` : "";
  return (
    <a href={episodeLink(run, each.episode)}>
      <Text most={60}>{each.env ?? each.episode}</Text>{" "}
      <span class="muted">
        {each.agents.length > 0 && (
          <>
            <Text most={60}>{each.agents.join(", ")}</Text>
            {" · "}
          </>
        )}
        step {each.step} · {count(each.decisions, "decision")}
        {faults} · <Text most={6}>{each.episode}</Text>
      </span>
    </a>
  );
}

function toldOf(run: LiveRun): string {
  const planned = run.planned === null ? "" : ` of ${run.planned.toLocaleString("en")}`;
  const rate = run.rate > 0 ? ` · ${run.rate < 10 ? run.rate.toFixed(1) : Math.round(run.rate)} decisions/s` : "";
  const quiet = run.last >= 10 ? ` · nothing new for ${Math.round(run.last)} s` : "";
  return `${run.finished.toLocaleString("en")}${planned} finished${rate}${quiet}`;
}
