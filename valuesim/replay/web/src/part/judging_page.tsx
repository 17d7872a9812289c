// One moment after another: judged unseen, then what was chosen, then judged once more.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Refused } from "../api";
import { Guard } from "../guard";
import { blindLink, noteAddress } from "../route";
import { Passage, Text } from "../text";
import { count } from "../words";
import { AnswerForm } from "./answer";
import * as judging from "./judging";
import { Reveal } from "./reveal";
import { taskOf } from "./tasks";

interface JudgingProps {
  run: string;
  episode: string;
  step: number | null;
  role: string | null;
  session: string;
  task: judging.Task;
  onTask: () => void;
  onDone: () => void;
  onLost: (why: string) => void;
}

const GONE = "The session was ended (the viewer was started anew). What was answered is kept; what follows is a new session.";

export function Judging(props: JudgingProps) {
  const { run, episode, session, task, onDone, onLost } = props;
  const [scope, setScope] = useState(props.role);
  const [roles, setRoles] = useState<string[]>([]);
  const [moment, setMoment] = useState<judging.BlindMoment | null>(null);
  const [judged, setJudged] = useState(0);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isWaiting, setWaiting] = useState(true);
  const heading = useRef<HTMLHeadingElement>(null);

  const failed = (error: unknown) => {
    if (error instanceof Refused && error.status === 404 && error.message.includes("session")) onLost(GONE);
    else setTrouble(error instanceof Error ? error.message : String(error));
  };
  const open = async (spot: judging.Spot) => {
    const found = await judging.shown(run, episode, session, spot);
    noteAddress(blindLink(run, episode, spot.step, scope));
    setMoment(found);
  };
  const goOn = async (wanted: judging.Spot | null, role: string | null) => {
    setWaiting(true);
    setTrouble(null);
    try {
      const told = await judging.following(run, episode, session, role);
      setRoles(told.roles);
      setJudged(told.judged);
      const spot = wanted ?? told.next;
      if (spot) await open(spot);
      else await judging.ended(session).then(onDone);
    } catch (error) {
      failed(error);
    }
    setWaiting(false);
  };
  useEffect(() => {
    const { step, role } = props;
    void goOn(step !== null && role !== null ? { step, role } : null, scope);
  }, []);
  const phase: judging.Phase = moment?.judged ? "after" : "before";
  useLayoutEffect(() => {
    if (moment) heading.current?.focus();
  }, [moment?.step, moment?.role, phase]);

  const say = async (answer: judging.Answer | null, confidence: number | null) => {
    if (!moment) return;
    const own = moment.judged?.task ?? task;
    setWaiting(true);
    setTrouble(null);
    try {
      const spot = { step: moment.step, role: moment.role };
      const { revealed } = await judging.judge({ session, run, episode, ...spot, task: own, phase, answer, confidence });
      if (phase === "after") return await goOn(null, scope);
      setMoment({ ...moment, judged: { task: own, answer, confidence, is_done: false }, revealed });
    } catch (error) {
      failed(error);
    }
    setWaiting(false);
  };
  return (
    <section class="sheet judging" aria-busy={isWaiting}>
      <Bar {...{ ...props, roles, scope, judged }} onScope={(role) => { setScope(role); if (phase === "before") void goOn(null, role); }} onStop={() => void judging.ended(session).then(onDone, failed)} />
      {trouble && (
        <div class="note" role="alert">
          <p>
            <Text most={1000}>{trouble}</Text>
          </p>
          {!moment && (
            <button type="button" onClick={() => void goOn(null, scope)}>
              Go on with the next moment
            </button>
          )}
        </div>
      )}
      {!moment && !trouble && <p role="status">Opening…</p>}
      {moment && (
        <Guard at={`${moment.step} ${moment.role} ${phase}`} failed="This moment could not be shown">
          <Shown key={`${moment.step} ${moment.role} ${phase}`} {...{ moment, task, phase, heading, isWaiting }} isFirst={judged === 0} onSay={(a, c) => void say(a, c)} onNext={() => void goOn(null, scope)} />
        </Guard>
      )}
    </section>
  );
}

interface BarProps extends JudgingProps {
  roles: string[];
  scope: string | null;
  judged: number;
  onScope: (role: string | null) => void;
  onStop: () => void;
}

function Bar({ roles, scope, judged, onScope, onTask, onStop }: BarProps) {
  return (
    <p class="bar">
      <span role="status">{count(judged, "moment")} judged</span>
      {roles.length > 1 && (
        <label class="inline">
          of{" "}
          <select value={scope ?? ""} onChange={(event) => onScope(event.currentTarget.value || null)} aria-label="Whose moments">
            <option value="">everybody</option>
            {roles.map((role) => (
              <option key={role} value={role}>
                {role}
              </option>
            ))}
          </select>
        </label>
      )}
      <button type="button" class="small" onClick={onTask}>
        Another question
      </button>
      <button type="button" class="small" onClick={onStop}>
        Stop, and see the summary
      </button>
    </p>
  );
}

interface ShownProps {
  moment: judging.BlindMoment;
  task: judging.Task;
  phase: judging.Phase;
  heading: { current: HTMLHeadingElement | null };
  isWaiting: boolean;
  /** Whether nothing of the episode was judged yet: the rules stand open. */
  isFirst: boolean;
  onSay: (answer: judging.Answer | null, confidence: number | null) => void;
  onNext: () => void;
}

function Shown({ moment, task, phase, heading, isWaiting, isFirst, onSay, onNext }: ShownProps) {
  const own = taskOf(moment.judged?.task ?? task);
  const isDone = moment.judged?.is_done ?? false;
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {phase === "before" ? own.question : isDone ? "You have judged this moment" : "What was chosen"}
      </h1>
      <p class="muted">
        Step {moment.step}, as <Text most={60}>{moment.role}</Text>
      </p>
      {phase === "after" && moment.revealed && <Reveal revealed={moment.revealed} judged={moment.judged} />}
      <details class="section" open={phase === "before"}>
        <summary>Situation</summary>
        <Passage text={moment.text} label="Situation" />
      </details>
      {moment.rules && (
        <details class="section" open={isFirst && phase === "before"}>
          <summary>Rules</summary>
          <Passage text={moment.rules} label="Rules" />
        </details>
      )}
      {phase === "after" && !isDone && <h2>{own.after}</h2>}
      {isDone ? (
        <p class="answers">
          <button type="button" class="main" onClick={onNext}>
            Next moment
          </button>
        </p>
      ) : (
        <AnswerForm moment={moment} task={own.task} phase={phase} isWaiting={isWaiting} onSay={onSay} />
      )}
    </>
  );
}
