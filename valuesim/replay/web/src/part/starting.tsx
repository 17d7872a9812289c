// How a game is to be played: which role, with whom, how scarce, how often.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Text } from "../text";
import * as plays from "../play/plays";
import { Code } from "./agreeing";

interface StartingProps {
  game: plays.Game;
  /** What the address says of it: role, partner, level, episodes, seed, participant. */
  given: URLSearchParams;
  onBack: () => void;
  onPlay: (play: plays.Play) => void;
}

export function Starting({ game, given, onBack, onPlay }: StartingProps) {
  const isAlone = game.roles.length < 2;
  const [role, setRole] = useState(isAlone ? "" : (given.get("role") ?? game.roles[0] ?? ""));
  const [partner, setPartner] = useState(given.get("partner") ?? (game.partners.includes("random") ? "random" : (game.partners[0] ?? "")));
  const [level, setLevel] = useState(given.get("level") ?? "");
  const [episodes, setEpisodes] = useState(given.get("episodes") ?? "1");
  const [seed, setSeed] = useState(given.get("seed") ?? "");
  const [code, setCode] = useState(given.get("participant") ?? "");
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isWaiting, setWaiting] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  const start = (event: Event) => {
    event.preventDefault();
    setWaiting(true);
    const wanted = { game: game.id, role: role || null, partner: isAlone || !role ? null : partner, level: level || null };
    const told = { ...wanted, episodes: figureOf(episodes), seed: seed === "" ? null : figureOf(seed), participant: code || null };
    plays.begin(told).then(
      (begun) => onPlay(begun.play),
      (failed: Error) => {
        setTrouble(failed.message);
        setWaiting(false);
      },
    );
  };
  return (
    <form class="sheet" onSubmit={start}>
      <p>
        <button type="button" class="small quiet" onClick={onBack}>
          ← All games
        </button>
      </p>
      <h1 ref={heading} tabIndex={-1}>
        <Text most={80}>{game.title}</Text>
      </h1>
      <p>
        <Text most={600}>{game.description}</Text>
      </p>
      {trouble && (
        <p class="note" role="alert">
          <Text most={1000}>{trouble}</Text>
        </p>
      )}
      {!isAlone && <Select label="You play" given={role} onGive={setRole} names={game.roles} none="every role" />}
      {!isAlone && role && <Select label="The others are played by" given={partner} onGive={setPartner} names={game.partners} />}
      {game.levels.length > 0 && <Select label="How much there is to live on (low: too little for all)" given={level} onGive={setLevel} names={game.levels} none="as the game is set" />}
      <div class="numbers">
        <label class="field">
          Episodes
          <input class="typed" type="number" min={1} max={100} required value={episodes} onInput={(event) => setEpisodes(event.currentTarget.value)} />
        </label>
        <label class="field">
          Seed (drawn, if left open)
          <input class="typed" type="number" min={0} step={1} value={seed} onInput={(event) => setSeed(event.currentTarget.value)} />
        </label>
      </div>
      <Code code={code} onCode={setCode} />
      <p class="answers">
        <button type="submit" class="main" disabled={isWaiting}>
          Start
        </button>
      </p>
    </form>
  );
}

/** What is no whole number is sent as it is, and refused: a link must not play another seed than it says. */
function figureOf(typed: string): number | string {
  return /^\d{1,15}$/.test(typed) ? Number(typed) : typed;
}

interface SelectProps {
  label: string;
  given: string;
  onGive: (given: string) => void;
  names: string[];
  /** What it means to choose none; left out, one is chosen. */
  none?: string;
}

function Select({ label, given, onGive, names, none }: SelectProps) {
  return (
    <label class="field">
      {label}
      <select value={given} onChange={(event) => onGive(event.currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
