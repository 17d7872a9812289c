// A moral-machine scene: the picture, and beside it what either case comes to and who decided for it.
import type { Json, Moment, SceneProps, Step, Table } from "../types";
import { depictionOf } from "../api";
import { Text } from "../text";
import { Unread } from "./fallback";
import { Bubble, Name, NoDecision } from "./parts";
import { brief, effectOf, field, listOf, lookedAt, numberOf, tableOf, textOf } from "./reading";

export function MoralMachine({ episode, step, role }: SceneProps) {
  const here = episode.steps[step];
  const moment = lookedAt(here, role);
  const cases = Object.entries(tableOf(field(tableOf(moment?.view), "cases")));
  if (!here || !moment || cases.length === 0) return <Unread episode={episode} step={step} role={role} />;
  return (
    <section class="scene scene-moral" aria-label="The scene">
      <Heading moment={moment} />
      <img class="scene-picture" src={depictionOf(episode.run, episode.episode, here.step, moment.role)} alt={told(moment)} width={1200} height={580} />
      <div class="scene-cases">
        {cases.map(([name, facts]) => (
          <Case key={name} name={name} facts={tableOf(facts)} moment={moment} here={here} />
        ))}
      </div>
      <NoDecision moment={moment} />
      <Panel here={here} moment={moment} />
    </section>
  );
}

const PHASES = new Map([
  ["decide", "decision"], ["before", "first decision"], ["argue", "messages"], ["after", "vote"],
]);

function Heading({ moment }: { moment: Moment }) {
  const view = tableOf(moment.view);
  const phase = textOf(field(view, "phase")) ?? "";
  const scene = tableOf(field(tableOf(moment.annotations), "moral_scene"));
  return (
    <p class="scene-heading">
      <strong>
        Scene {(numberOf(field(view, "number")) ?? 0) + 1} of {numberOf(field(view, "scenes")) ?? "?"}, <Text>{PHASES.get(phase) ?? phase}</Text>
      </strong>
      <span>varies: <Text>{textOf(field(scene, "dimension")) ?? "not known"}</Text></span>
    </p>
  );
}

/** What the picture shows, in the words that the agent read. */
function told(moment: Moment): string {
  const cases = moment.options.filter((option) => option.name !== "SAY");
  const words = cases.map((option) => `${option.name}: ${option.text}`).join(" ");
  return words || moment.text;
}

function Case({ name, facts, moment, here }: { name: string; facts: Table; moment: Moment; here: Step }) {
  const side = textOf(field(facts, "move"));
  const deciders = here.moments.filter((each) => each.chosen === name).map((each) => each.role);
  const isChosen = moment.chosen === name;
  return (
    <article class={isChosen ? "scene-card is-chosen" : "scene-card"}>
      <h2>
        <Name>{name}</Name> <small>the car {side === "stay" ? "stays" : "swerves"}</small>
        {isChosen && <span class="scene-mark">chosen</span>}
      </h2>
      <dl>
        <dt>Killed</dt>
        <dd><People given={field(facts, "dying")} place={placeOf(moment, side === "stay" ? 0 : 1)} /></dd>
        <dt>Spared</dt>
        <dd><People given={field(facts, "living")} place={placeOf(moment, side === "stay" ? 1 : 0)} /></dd>
      </dl>
      {here.moments.length > 1 && deciders.length > 0 && <p class="scene-note">Decided for by <Text>{deciders.map(brief).join(", ")}</Text></p>}
    </article>
  );
}

function People({ given, place }: { given: Json | undefined; place: string }) {
  const people = Object.entries(tableOf(given));
  if (people.length === 0) return <>nobody</>;
  const told = people.map(([name, count]) => (count === 1 ? spaced(name) : `${String(count)} \u00d7 ${spaced(name)}`));
  return (
    <>
      <Text most={600}>{told.join(", ")}</Text> <span class="scene-note">{place}</span>
    </>
  );
}

/** Where the group stands that dies if the car stays (0) or swerves (1), and what its signal says. */
function placeOf(moment: Moment, group: number): string {
  const scene = tableOf(field(tableOf(moment.annotations), "moral_scene"));
  const facts = tableOf(listOf(field(scene, "groups"))[group]);
  if (field(facts, "barrier") === 1) return "in the car";
  const signal = field(facts, "signal");
  return signal === 1 ? "crossing on green" : signal === 2 ? "crossing on red" : "crossing, no signal";
}

/** "LargeWoman" as words. */
function spaced(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

function Panel({ here, moment }: { here: Step; moment: Moment }) {
  const view = tableOf(moment.view);
  const first = Object.entries(tableOf(field(view, "decisions")));
  const heard = Object.entries(tableOf(field(view, "messages")));
  const said = here.moments
    .filter((each) => each.chosen === "SAY")
    .map((each): [string, Json] => [each.role, textOf(field(each.arguments, "message")) ?? each.message ?? ""]);
  const verdict = textOf(field(effectOf(moment), "verdict"));
  const votes = ["stay", "swerve"].map((side) => numberOf(field(effectOf(moment), `votes_${side}`)));
  if (first.length + heard.length + said.length === 0 && votes.includes(null)) return null;
  return (
    <section class="scene-panel" aria-label="The panel">
      {first.length > 0 && (
        <p>First decisions: <Text most={1000}>{first.map(([name, each]) => `${brief(name)} ${textOf(each) ?? "none"}`).join(", ")}</Text></p>
      )}
      <Voices title="Heard" voices={heard} />
      <Voices title="Said in this step" voices={said} />
      {!votes.includes(null) && (
        <p><strong>Votes: {votes[0]} to stay, {votes[1]} to swerve; verdict: <Text>{verdict ?? "none, so that the car stays"}</Text></strong></p>
      )}
    </section>
  );
}

function Voices({ title, voices }: { title: string; voices: [string, Json][] }) {
  if (voices.length === 0) return null;
  return (
    <>
      <h2>{title}</h2>
      <ul class="scene-bubbles">
        {voices.map(([name, text]) => (
          <Bubble key={name} sender={name} text={textOf(text) ?? ""} />
        ))}
      </ul>
    </>
  );
}
