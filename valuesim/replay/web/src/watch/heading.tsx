import { Text } from "../text";
import { episodeLink } from "../route";
import { holdsEpisode, isShared, sharedEpisodes } from "../shared";
import type { Episode, Parent } from "../types";
import { count, sum } from "../words";

export function Heading({ episode, back }: { episode: Episode; back: string }) {
  const faults = sum(Object.values(episode.faults));
  return (
    <header class={isShared ? "heading is-shared" : "heading"}>
      <Back to={back} />
      <h1>
        <Text most={60}>{episode.env}</Text> <span class="muted">in</span> <Text most={80}>{episode.run_name}</Text>
      </h1>
      <p class="muted">
        <Players episode={episode} /> · seed {episode.seed ?? "not known yet"}
        {faults > 0 && (
          <>
            {" · "}
            <span class="faulty">{count(faults, "fault")}</span>
          </>
        )}
        {episode.parent && <Left parent={episode.parent} />}
      </p>
    </header>
  );
}

function Back({ to }: { to: string }) {
  if (isShared && sharedEpisodes().length < 2) return null;
  return (
    <a class="back" href={isShared ? "#/" : to}>
      ← {isShared ? "Both episodes" : placeOf(to)}
    </a>
  );
}

function Left({ parent }: { parent: Parent }) {
  const name = <Text most={60}>{parent.episode}</Text>;
  return (
    <>
      {" · a branch of "}
      {parent.run && (!isShared || holdsEpisode(parent.run, parent.episode)) ? <a href={episodeLink(parent.run, parent.episode, parent.step)}>{name}</a> : name}
      {` at step ${parent.step}`}
    </>
  );
}

/** Where a link back leads, in a word: the list, or the values of a selection. */
function placeOf(link: string): string {
  return link.startsWith("#/graph") ? "Values" : "Episodes";
}

const MOST_NAMED = 6;

function Players({ episode }: { episode: Episode }) {
  const players = Object.entries(episode.population);
  return (
    <>
      {players.slice(0, MOST_NAMED).map(([role, player], place) => (
        <span key={role}>
          {place > 0 && ", "}
          <Text most={40}>{role}</Text> = <Text most={40}>{player.model ?? player.agent}</Text>
        </span>
      ))}
      {players.length > MOST_NAMED && ` and ${players.length - MOST_NAMED} more`}
    </>
  );
}
