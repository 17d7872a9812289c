// What a shared file says of itself, above what it shows.
import { sharedEpisodes, shared } from "../shared";
import { Text } from "../text";
import type { Episode } from "../types";

export function SharedLine() {
  if (shared === null) return null;
  return (
    <aside class="shared-line" aria-label="About this file">
      <p>
        A file shared from valuesim <Text most={40}>{shared.version}</Text>
        {sharedEpisodes<Episode>().map((episode, place) => (
          <Origin key={`${episode.run}/${episode.episode}`} episode={episode} isFirst={place === 0} />
        ))}
        . It needs no network, and asks none. What agents say in it was written by models and programs, and is shown as it came.
      </p>
    </aside>
  );
}

function Origin({ episode, isFirst }: { episode: Episode; isFirst: boolean }) {
  return (
    <>
      {isFirst ? ": run " : "; beside run "}
      <strong>
        <Text most={120}>{episode.run_name}</Text>
      </strong>
      {", episode "}
      <strong>
        <Text most={80}>{episode.episode}</Text>
      </strong>
      {episode.parent && (
        <>
          {`, which leaves episode `}
          <Text most={80}>{episode.parent.episode}</Text>
          {episode.parent.run_name && (
            <>
              {" of run "}
              <Text most={120}>{episode.parent.run_name}</Text>
            </>
          )}
          {` at step ${episode.parent.step}`}
        </>
      )}
    </>
  );
}
