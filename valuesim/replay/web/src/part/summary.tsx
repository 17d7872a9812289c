// What a session of judging came to.
import { useLayoutEffect, useRef } from "preact/hooks";
import { useAnswer, asked } from "../api";
import { findLink, graphLink } from "../route";
import { Text } from "../text";
import type { Share, Summary } from "./judging";
import { TallyTable } from "./tally";
import { TASKS } from "./tasks";

interface SummaryProps {
  session: string;
  back: string;
  onAgain: () => void;
  /** Another person sits down: they are asked for consent. */
  onOther: () => void;
}

export function SummaryPage({ session, back, onAgain, onOther }: SummaryProps) {
  const { answer, error } = useAnswer(session, (signal) => asked<Summary>(`/api/judgements/${encodeURIComponent(session)}`, signal));
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), [answer === null]);
  if (error) {
    return (
      <section class="state" role="alert">
        <h1>The summary could not be opened</h1>
        <p>
          <Text most={1000}>{error.message}</Text>
        </p>
      </section>
    );
  }
  if (!answer) return <p role="status">Counting…</p>;
  const told = TASKS.filter(({ task }) => answer.tasks[task]);
  return (
    <section class="sheet">
      <h1 ref={heading} tabIndex={-1}>
        What you judged
      </h1>
      {told.length === 0 && <p>No moment was judged to its end.</p>}
      {told.map(({ task, question }) => (
        <TallyTable key={task} task={task} question={question} tally={answer.tasks[task]} heading="h2" least={leastTold} />
      ))}
      <p class="muted">
        Kept in <Text most={200}>{answer.run_name}</Text>. One person is one person: none of these figures tells of people.{" "}
        <a href="#/judged">What all people judged</a>
      </p>
      {answer.tasks.decide && (
        <p>
          <a href={graphLink(new URLSearchParams({ run: answer.run, by: "seen" }))}>What your choices put first</a> ·{" "}
          <a href={findLink(new URLSearchParams({ run: answer.run }))}>Your choices, moment by moment</a>
        </p>
      )}
      <p class="answers">
        <button type="button" onClick={onAgain}>
          Go on judging
        </button>
        <button type="button" onClick={onOther}>
          Another person judges
        </button>
        <a href={back}>Back to the episode</a>
      </p>
    </section>
  );
}

const leastTold = (share: Share) => (share.episodes < 2 ? "none: one episode or scene" : null);
