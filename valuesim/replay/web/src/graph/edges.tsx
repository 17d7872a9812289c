// All edges as a table, to be sorted: what the picture shows, for who does not look at it.
import { useState } from "preact/hooks";
import { Text } from "../text";
import { figure } from "../words";
import { sureness } from "./side";
import { contested } from "./layout";
import { placed } from "./place";
import type { Edge } from "./types";

const COLUMNS = [
  ["over", "Put first"],
  ["under", "Behind"],
  ["weight", "Votes"],
  ["against", "Against"],
  ["decisions", "Decisions"],
  ["probability", "Stronger (posterior)"],
] as const;
type Column = (typeof COLUMNS)[number][0];
const FEW = 30;

export function EdgeTable({ edges, query }: { edges: Edge[]; query: URLSearchParams }) {
  const [sort, setSort] = useState<{ by: Column; isUp: boolean }>({ by: "weight", isUp: false });
  const [isWhole, setWhole] = useState(false);
  const sorted = [...edges].sort((a, b) => compared(a, b, sort.by) * (sort.isUp ? 1 : -1));
  const shown = isWhole ? sorted : sorted.slice(0, FEW);
  return (
    <section class="graph-edge-list">
      <h2>Edges</h2>
      <p class="small-text muted">One decision has one vote, shared among the pairs of values that it decides between. The last column is the bootstrap's probability that the first is the stronger.</p>
      <div class="graph-scroll" tabIndex={0} role="group" aria-label="Edges as a table">
        <table class="graph-table">
          <thead>
            <tr>
              {COLUMNS.map(([name, title]) => (
                <th key={name} scope="col" class={name === "under" ? "graph-under" : ""} aria-sort={sort.by !== name ? "none" : sort.isUp ? "ascending" : "descending"}>
                  <button type="button" class="sort" onClick={() => setSort({ by: name, isUp: sort.by === name ? !sort.isUp : name === "over" || name === "under" })}>
                    {title}
                    <span aria-hidden="true" class="arrow">
                      {sort.by !== name ? "" : sort.isUp ? "▲" : "▼"}
                    </span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((edge) => (
              <tr key={`${edge.over}\u0000${edge.under}`}>
                <th scope="row">
                  <a href={placed(query, { over: edge.over, under: edge.under, node: null, shown: null })}>
                    <Text most={60}>{edge.over}</Text>
                    <span class="unseen"> before <Text most={60}>{edge.under}</Text></span>
                  </a>
                </th>
                <td class="graph-under">
                  <Text most={60}>{edge.under}</Text>
                </td>
                <td>{figure(edge.weight)}</td>
                <td>{figure(edge.against)}</td>
                <td>{contested(edge).toLocaleString("en")}</td>
                <td>{edge.probability === null ? "–" : sureness(edge.probability)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {edges.length > FEW && (
        <button type="button" class="small" onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show all ${edges.length} edges`}
        </button>
      )}
    </section>
  );
}

function compared(a: Edge, b: Edge, by: Column): number {
  if (by === "over" || by === "under") return a[by].localeCompare(b[by], "en");
  if (by === "decisions") return contested(a) - contested(b);
  return (a[by] ?? -1) - (b[by] ?? -1);
}
