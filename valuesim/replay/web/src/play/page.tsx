// A play in progress: a branch or a game that the viewer plays, and the person it asks.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Refused, followed } from "../api";
import { BranchProgress } from "../branch/progress";
import { Guard } from "../guard";
import { episodeLink } from "../route";
import { Text } from "../text";
import { AskingForm, hasHelp } from "./asking";
import * as plays from "./plays";
import { Progress } from "./progress";

const STEADY_MS = 1_000;

interface Following {
  play: plays.Play | null;
  error: Refused | null;
  isLost: boolean;
}

/** Follow a play as it goes on; a server that does not answer is told, and asked again. */
export function useFollowed(id: string): Following & { onPlay: (play: plays.Play) => void } {
  const [play, setPlay] = useState<plays.Play | null>(null);
  const [error, setError] = useState<Refused | null>(null);
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    let stop = () => {};
    const follow = () => {
      stop = followed(
        plays.eventsOf(id),
        ["play"],
        (_, content) => {
          const found = content as plays.Play;
          setLost(false);
          setPlay(found);
          // what ends is told once: the browser would ask for it again
          if (plays.OVER.includes(found.state)) stop();
        },
        () => {
          setLost(true);
          plays.play(id).catch((failed: unknown) => {
            if (failed instanceof Refused && failed.status !== 0) {
              stop();
              setError(failed);
            }
          });
        },
      );
    };
    follow();
    return () => stop();
  }, [id]);
  return { play, error, isLost, onPlay: setPlay };
}

export function PlayPage({ id }: { id: string }) {
  const { play, error, isLost, onPlay } = useFollowed(id);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const { asking, isLate } = useSteady(play);
  const form = useForm(asking);
  if (error) {
    return (
      <section class="state" role="alert">
        <h1>{error.status === 404 ? "There is no such play" : "This play could not be opened"}</h1>
        <p>
          <Text most={1000}>{error.message}</Text>
        </p>
        <p>What was played is among the episodes: a play is known as long as the viewer runs.</p>
        <a href="#/part">Take part</a>
      </section>
    );
  }
  if (!play) return <p role="status">{isLost ? "The viewer's server does not answer; it is asked again." : "Opening…"}</p>;
  const fail = (failed: unknown) => setTrouble(failed instanceof Error ? failed.message : String(failed));
  const answer = (text: string) => {
    if (!play.asking) return;
    setTrouble(null);
    if (play.asking.about === "option" && play.asking.choices.includes(text)) setChosen(text);
    // another tab may have answered: what is asked now comes by itself
    plays.answer(id, play.asking.number, text).catch(fail);
  };
  return (
    <section class="sheet playing">
      <Top play={play} isAsked={asking !== null && !isLate} onStop={() => void plays.stop(id).then((told) => onPlay(told.play), fail)} />
      {isLost && (
        <p class="note" role="alert">
          The viewer's server does not answer: is <code>valuesim replay</code> still running? It is asked again.
        </p>
      )}
      {trouble && (
        <p class="note" role="alert">
          <Text most={1000}>{trouble}</Text>
        </p>
      )}
      <Guard at={`${play.state} ${asking?.number ?? ""}`} failed="This question could not be shown">
        {asking && (
          <div hidden={isLate}>
            <AskingForm key={form} asking={asking} chosen={chosen} onAnswer={answer} />
          </div>
        )}
        {(!asking || isLate) && <Waiting play={play} />}
      </Guard>
    </section>
  );
}

/**
 * Return what is asked, or was asked last: what was typed must outlive a mistake, however long the server takes to tell it.
 * `isLate` where nothing has been asked for a while.
 */
function useSteady(play: plays.Play | null): { asking: plays.Asking | null; isLate: boolean } {
  const asking = play?.asking ?? null;
  const last = useRef(asking);
  const [isLate, setLate] = useState(false);
  if (asking !== null) last.current = asking;
  const isAsked = asking !== null;
  useEffect(() => {
    setLate(false);
    if (isAsked) return;
    const late = setTimeout(() => setLate(true), STEADY_MS);
    return () => clearTimeout(late);
  }, [isAsked]);
  const isOver = play !== null && plays.OVER.includes(play.state);
  return { asking: isOver ? null : last.current, isLate: isLate && !isAsked };
}

/** Return the key of the form: what is asked again after a mistake or for help keeps what was typed. */
function useForm(asking: plays.Asking | null): string {
  const last = useRef({ asking: "", key: "" });
  if (asking === null) return last.current.key;
  const same = `${asking.about} ${asking.prompt} ${asking.scene?.episode ?? ""} ${asking.scene?.step ?? ""} ${asking.scene?.role ?? ""}`;
  const isAgain = asking.mistake !== null || hasHelp(asking);
  if (!isAgain || same !== last.current.asking) last.current = { asking: same, key: String(asking.number) };
  return last.current.key;
}

function Top({ play, isAsked, onStop }: { play: plays.Play; isAsked: boolean; onStop: () => void }) {
  const isOver = plays.OVER.includes(play.state);
  return (
    <>
      <h1>
        <Text most={120}>{play.title}</Text>
      </h1>
      <p class="bar">
        {/* of a branch it stands below, with its newest decisions */}
        {(play.kind === "game" || play.person) && (
          <span role="status">
            It {plays.stateOf(play)}
            {play.total > 1 && `: ${play.episodes} of ${play.total} episodes done`}
            {play.step !== null && !isOver && `, step ${play.step}`}
          </span>
        )}
        {!isOver && !isAsked && (
          <button type="button" class="small" onClick={onStop}>
            Stop it
          </button>
        )}
      </p>
    </>
  );
}

function Waiting({ play }: { play: plays.Play }) {
  const box = useRef<HTMLDivElement>(null);
  const isOver = plays.OVER.includes(play.state);
  const isBranch = play.kind === "branch" && (isOver || !play.person);
  useLayoutEffect(() => {
    // what was asked is gone: the focus must not be lost with it
    if (isOver) box.current?.focus();
  }, [isOver]);
  return (
    <div ref={box} tabIndex={-1} class="waiting">
      {isBranch ? <BranchProgress play={play} /> : isOver ? <End play={play} /> : <Progress play={play} />}
    </div>
  );
}

function End({ play }: { play: plays.Play }) {
  return (
    <>
      {play.state === "finished" ? <p>It is finished, and kept. Thank you.</p> : <Ended play={play} />}
      <p class="answers">
        {play.run && play.episode && play.state === "finished" && (
          <a class="go" href={episodeLink(play.run, play.episode, play.parent?.step)}>
            Watch it
          </a>
        )}
        {play.parent && <a href={episodeLink(play.parent.run, play.parent.episode, play.parent.step)}>The episode that it leaves</a>}
        <a href="#/part">Take part</a>
      </p>
    </>
  );
}

function Ended({ play }: { play: plays.Play }) {
  return (
    <p role={play.state === "failed" ? "alert" : undefined}>
      {play.state === "failed" ? "It failed" : "It was stopped; an episode that was not finished does not count"}
      {play.error && (
        <>
          : <Text most={1000}>{play.error}</Text>
        </>
      )}
      .
    </p>
  );
}
