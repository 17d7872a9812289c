// What a session of judging came to.
import { useEffect, useRef } from "preact/hooks";
import { useAnswer, asked } from "../api";
import { findLink, graphLink } from "../route";
import { Text } from "../text";
import { count, figure, seconds } from "../words";
import type { Share, Summary, Tally, Task } from "./judging";
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
  useEffect(() => heading.current?.focus(), [answer === null]);
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
        <TaskSummary key={task} task={task} question={question} tally={answer.tasks[task] as Tally} />
      ))}
      <p class="muted">
        Kept in <Text most={200}>{answer.run_name}</Text>. One person is one person: none of these figures tells of people.
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

const SHARES: { [task in Task]: [name: "agreed_before" | "agreed_after" | "changed" | "right", title: string][] } = {
  decide: [
    ["agreed_before", "as it chose, before you saw it"],
    ["agreed_after", "as it chose, after"],
    ["changed", "changed after seeing it"],
  ],
  guess: [["right", "guessed right"]],
  rate: [
    ["agreed_before", "its option rated best, before you saw it"],
    ["agreed_after", "its option rated best, after"],
    ["changed", "ratings changed after seeing it"],
  ],
};

function TaskSummary({ task, question, tally }: { task: Task; question: string; tally: Tally }) {
  const apart = [
    ...(tally.faulty ? [`${tally.faulty} in which nothing was chosen`] : []),
    ...(tally.declined ? [`${tally.declined} that you declined`] : []),
  ];
  return (
    <div class="tally">
      <h2>{question}</h2>
      <p class="muted">
        {count(tally.n, "moment")}, {seconds(tally.seconds)} on average until the answer before{apart.length > 0 && `; counted apart: ${apart.join(", ")}`}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Share</th>
            <th scope="col">of</th>
            <th scope="col">is</th>
            <th scope="col">95 % interval</th>
          </tr>
        </thead>
        <tbody>
          {SHARES[task].map(([name, title]) => (
            <ShareRow key={name} title={title} share={tally[name]} />
          ))}
        </tbody>
      </table>
      {typeof tally.surprise === "number" && <p>Surprise, on average: {figure(tally.surprise)} of 7</p>}
      {typeof tally.rating_before === "number" && (
        <p>
          Rating of what it chose: {figure(tally.rating_before)} before, {figure(tally.rating_after ?? 0)} after
        </p>
      )}
    </div>
  );
}

function ShareRow({ title, share }: { title: string; share: Share | undefined }) {
  if (!share) return null;
  return (
    <tr>
      <th scope="row">{title}</th>
      <td>{share.n}</td>
      <td>{percent(share.value)}</td>
      <td>{share.low === null ? "none: one episode or scene" : `${percent(share.low)} to ${percent(share.high)}`}</td>
    </tr>
  );
}

function percent(share: number | null): string {
  return share === null ? "none" : `${Math.round(share * 100)} %`;
}
