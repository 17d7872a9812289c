// How many decisions an arrow must have to be drawn.
import { useEffect, useRef } from "preact/hooks";
import { count } from "../words";
import { move } from "./place";

interface ThresholdProps {
  query: URLSearchParams;
  edges: number[];
  least: number;
  shown: number;
  isAsked: boolean;
}

export function Threshold({ query, edges, least, shown, isAsked }: ThresholdProps) {
  const most = Math.max(1, ...edges);
  const waiting = useRef<number>(0);
  useEffect(() => () => clearTimeout(waiting.current), []);
  return (
    <label class="graph-threshold small-text">
      <span>
        {isAsked || shown === edges.length ? `Arrows of at least ${count(Number.isFinite(least) ? least : 1, "decision")} (${shown} of ${edges.length})` : `The ${shown} arrows of most decisions, of ${edges.length}`}
      </span>
      <input
        type="range"
        min={1}
        max={most}
        value={Math.min(least, most)}
        disabled={most === 1}
        onInput={(event) => {
          const next = event.currentTarget.value;
          clearTimeout(waiting.current);
          waiting.current = setTimeout(() => move(query, { least: next }, true), 150);
        }}
      />
    </label>
  );
}
