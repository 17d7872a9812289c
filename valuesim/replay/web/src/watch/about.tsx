// What was played and how it ended.
import type { Episode, Json, Table } from "../types";
import { isBare } from "../words";
import { Facts } from "./facts";

export function AboutEpisode({ episode }: { episode: Episode }) {
  const parts: [title: string, told: Json][] = [
    ["Outcome", episode.outcome],
    ["Measures", episode.measures],
    ["Condition", episode.condition],
    ["Population", episode.population as unknown as Table],
    ["Elicitation", episode.elicitation],
    ["Faults", episode.faults],
    ["Usage", episode.usage],
    ["Left", episode.parent as unknown as Table | null],
  ];
  return (
    <details class="about">
      <summary>About this episode</summary>
      <div class="about-parts">
        {parts
          .filter(([, told]) => !isBare(told))
          .map(([title, told]) => (
            <section key={title}>
              <h2>{title}</h2>
              <Facts table={typeof told === "object" && told !== null && !Array.isArray(told) ? told : { value: told }} />
            </section>
          ))}
      </div>
    </details>
  );
}
