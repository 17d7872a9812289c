// Take part: a whole game that a person plays, what is being played, and how to take a seat in an episode.
import { useState } from "preact/hooks";
import { useAnswer } from "../api";
import { Guard } from "../guard";
import { episodeLink, go, playLink } from "../route";
import { Text } from "../text";
import { count } from "../words";
import * as plays from "../play/plays";
import { Starting } from "./starting";

/** `query` may name a game and how it is to be played: a link that a lab gives to whoever takes part. */
export function PartPage({ query }: { query: URLSearchParams }) {
  const games = useAnswer("games", plays.games);
  const listed = useAnswer("plays", plays.plays);
  const [chosen, setChosen] = useState<plays.Game | null>(null);
  const wanted = query.get("game");
  const game = chosen ?? games.answer?.games.find((each) => each.id === wanted);
  const back = () => {
    setChosen(null);
    go("#/part");
  };
  if (game) return <Starting key={`${game.id} ${query}`} game={game} given={query} onBack={back} onPlay={(play) => go(playLink(play.id))} />;
  return (
    <section class="part">
      <h1>Take part</h1>
      <p class="muted">
        You decide as an agent does, and what you decide is logged as one (<code>human</code>), so that what you put first can be set beside what models do.
        You are asked for your consent first.
      </p>
      {wanted !== null && games.answer && (
        <p class="note" role="alert">
          There is no game <Text most={60}>{wanted}</Text>.
        </p>
      )}
      <h2>Play a whole game</h2>
      {games.error && (
        <p class="note" role="alert">
          <Text most={1000}>{games.error.message}</Text>
        </p>
      )}
      {!games.answer && !games.error && <p role="status">Opening…</p>}
      <Guard at="games" failed="The games could not be shown">
        {byFamily(games.answer?.games ?? []).map(([family, own]) => (
          <Family key={family} name={family} games={own} onChoose={setChosen} />
        ))}
      </Guard>
      <h2>Take a seat in an episode</h2>
      <p>
        <a href="#/">Open an episode</a>, go to the step from which you want to play, choose <b>Branch here</b>, and choose a person (<code>human</code>) for a
        role. <b>Judge blind</b> asks you of its moments without playing; here is <a href="#/judged">what people judged</a>.
      </p>
      <h2>Played here</h2>
      <Guard at="plays" failed="The plays could not be shown">
        <Listed plays={listed.answer?.plays ?? null} />
      </Guard>
    </section>
  );
}

/** Return the games by family, in the order in which they come. */
function byFamily(games: plays.Game[]): [string, plays.Game[]][] {
  const found = new Map<string, plays.Game[]>();
  for (const game of games) found.set(game.family ?? "", [...(found.get(game.family ?? "") ?? []), game]);
  return [...found];
}

function Family({ name, games, onChoose }: { name: string; games: plays.Game[]; onChoose: (game: plays.Game) => void }) {
  return (
    <div class="family">
      {name && (
        <h3>
          <Text most={60}>{name.replace(/_/g, " ")}</Text>
        </h3>
      )}
      <ul class="games">
        {games.map((game) => (
          <li key={game.id}>
            <GameCard game={game} onChoose={() => onChoose(game)} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function GameCard({ game, onChoose }: { game: plays.Game; onChoose: () => void }) {
  return (
    <button type="button" class="card" onClick={onChoose}>
      <strong>
        <Text most={80}>{game.title}</Text>
      </strong>
      <span class="card-text">
        <Text most={400}>{game.description}</Text>
      </span>
      <span class="muted small-text">{game.roles.length > 1 ? count(game.roles.length, "role") : "you alone"}</span>
    </button>
  );
}

function Listed({ plays: found }: { plays: plays.Play[] | null }) {
  if (!found) return null;
  if (found.length === 0) return <p class="muted">Nothing yet, since this viewer was started.</p>;
  return (
    <ul class="plays">
      {found.map((play) => (
        <li key={play.id}>
          <a href={playLink(play.id)}>
            <Text most={120}>{play.title}</Text>
          </a>{" "}
          <span class="muted">
            {plays.stateOf(play)}
            {play.total > 1 && `, ${play.episodes} of ${play.total} episodes`}
          </span>
          {play.run && play.episode && play.state === "finished" && <a href={episodeLink(play.run, play.episode)}>watch it</a>}
        </li>
      ))}
    </ul>
  );
}
