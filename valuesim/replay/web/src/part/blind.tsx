// Blind: a person decides, guesses or rates before seeing what was decided, and once more after.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAnswer } from "../api";
import { episodeLink, type Moment } from "../route";
import { Text } from "../text";
import { Agreeing } from "./agreeing";
import { Judging } from "./judging_page";
import * as judging from "./judging";
import { SummaryPage } from "./summary";
import { TASKS } from "./tasks";

export function BlindPage({ run, episode, step, role }: Moment) {
  const [session, setSession] = useState(judging.keptSession);
  const [lost, setLost] = useState<string | null>(null);
  const [task, setTask] = useState<judging.Task | null>(null);
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (session === null) return;
    const leave = () => judging.left(session);
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [session]);
  const begin = (begun: string) => {
    judging.keepSession(begun);
    setLost(null);
    setSession(begun);
  };
  const lose = (why: string | null) => {
    judging.keepSession(null);
    setSession(null);
    setDone(false);
    setLost(why);
  };
  const back = episodeLink(run, episode);
  if (session === null) return <Consenting lost={lost} back={back} onBegin={begin} />;
  if (isDone) return <SummaryPage session={session} back={back} onAgain={() => setDone(false)} onOther={() => lose(null)} />;
  if (task === null) return <Tasks onTask={setTask} back={back} />;
  return (
    <Judging run={run} episode={episode} step={step} role={role} session={session} task={task} onTask={() => setTask(null)} onDone={() => setDone(true)} onLost={lose} />
  );
}

function Consenting({ lost, back, onBegin }: { lost: string | null; back: string; onBegin: (session: string) => void }) {
  const { answer, error } = useAnswer("consent", judging.consentText);
  const [declined, setDeclined] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const told = trouble ?? error?.message ?? null;
  if (declined) {
    return (
      <section class="state" role="status">
        <h1>You do not take part</h1>
        <p>Nothing was kept.</p>
        <p>
          <button type="button" onClick={() => setDeclined(false)}>
            Read it again
          </button>
        </p>
      </section>
    );
  }
  const agree = (participant: string) =>
    answer &&
    judging.begun(answer.consent.id, participant).then(
      (begun) => onBegin(begun.session),
      (failed: Error) => setTrouble(failed.message),
    );
  return (
    <section class="sheet">
      <h1>Before you begin</h1>
      {lost && <p class="note">{lost}</p>}
      {told && (
        <p class="note" role="alert">
          <Text most={1000}>{told}</Text>
        </p>
      )}
      {answer ? (
        <Agreeing text={answer.consent.text} hasCode onAgree={agree} onDecline={() => setDeclined(true)} />
      ) : (
        !told && <p role="status">Opening…</p>
      )}
      <p>
        <a href={back}>Back to the episode</a> <span class="muted">(it shows what was chosen)</span>
      </p>
    </section>
  );
}

function Tasks({ onTask, back }: { onTask: (task: judging.Task) => void; back: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // the button that led here is gone: the focus must not be lost with it
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <section class="sheet">
      <h1 ref={heading} tabIndex={-1}>
        What do you want to be asked?
      </h1>
      <p class="muted">You see a moment as its role saw it, without what was chosen. You answer, then see it, then answer once more.</p>
      <div class="tasks">
        {TASKS.map(({ task, question, told }) => (
          <button key={task} type="button" class="big" onClick={() => onTask(task)}>
            <strong>{question}</strong>
            <span class="muted">{told}</span>
          </button>
        ))}
      </div>
      <p>
        <a href={back}>Back to the episode</a> <span class="muted">(it shows what was chosen)</span>
      </p>
    </section>
  );
}
