// What all people judged blind below the path that is shown, by whom they judged.
import { useAnswer } from "../api";
import { Text } from "../text";
import { count } from "../words";
import { judgedByAll, type CrossedShare, type JudgedByAll, type JudgedGroup } from "./judging";
import { TallyTable } from "./tally";
import { TASKS } from "./tasks";

export function JudgedPage() {
  const { answer, error } = useAnswer("judged", judgedByAll);
  return (
    <section class="sheet">
      <h1>What people judged</h1>
      {error && (
        <p class="note" role="alert">
          <Text most={1000}>{error.message}</Text>
        </p>
      )}
      {!answer && !error && <p role="status">Counting…</p>}
      {answer && <Judged all={answer} />}
    </section>
  );
}

function Judged({ all }: { all: JudgedByAll }) {
  const unread = Object.entries(all.unread);
  return (
    <>
      {all.groups.length === 0 ? (
        <p>
          Nobody has judged a moment to its end yet. <a href="#/">Open an episode</a> and choose <b>Judge blind</b>.
        </p>
      ) : (
        <p class="muted">
          {people(all.people)} judged. Intervals hold for other people and other scenes, as far as these are like them. Agreement is no merit: who was judged
          may have chosen badly. Each session is kept whole in <code>people</code>.
        </p>
      )}
      {all.repeated > 0 && <p class="note">Copies of sessions, left out: {all.repeated}</p>}
      {unread.map(([run, wrong]) => (
        <p class="note" key={run}>
          Not counted: <Text most={700}>{wrong.includes(run) ? wrong : `${run}: ${wrong}`}</Text>
        </p>
      ))}
      {all.groups.map((group) => (
        <Group key={JSON.stringify([group.env, group.agent, group.model, group.interventions])} group={group} />
      ))}
    </>
  );
}

function Group({ group }: { group: JudgedGroup }) {
  const who = [group.model ?? group.agent, ...(group.interventions ?? [])].filter((name) => name !== null);
  const told = TASKS.filter(({ task }) => group.tasks[task]);
  return (
    <section>
      <h2>
        <Text most={120}>{who.length > 0 ? who.join(" + ") : "not told by whom"}</Text>
        {group.env !== null && (
          <>
            {" "}
            in <Text most={60}>{group.env}</Text>
          </>
        )}
      </h2>
      {told.map(({ task, question }) => (
        <TallyTable key={task} task={task} question={question} tally={group.tasks[task]} heading="h3" least={least} />
      ))}
    </section>
  );
}

function least(share: CrossedShare): string | null {
  if (share.people < 2) return "none: one person";
  return share.scenes < 2 ? "none: one episode or scene" : null;
}

function people(number: number): string {
  return number === 1 ? "One person" : count(number, "person", "people");
}
