// One question to a person who plays: consent, an option, what it asks for, reasons, or whether they are sure.
import { useEffect, useRef, useState } from "preact/hooks";
import { Agreeing } from "../part/agreeing";
import { Amount, useNumbers } from "../part/fields";
import { Passage, Text } from "../text";
import type { Asking, Scene, SceneOption } from "./plays";

interface AskingProps {
  asking: Asking;
  onAnswer: (text: string) => void;
}

const RULES = "The rules";
const HELP = "What you may type";
/** So long a question takes no answer: a second click of a hasty hand was meant for the one before. */
const BREATH_MS = 350;
const TITLES = {
  consent: "Before you begin",
  option: "What do you do?",
  argument: "What it asks for",
  reason: "Why? (may stay open)",
  sure: "Are you sure?",
};

export function AskingForm({ asking, chosen, onAnswer }: AskingProps & { chosen: string | null }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [isWaiting, setWaiting] = useState(true);
  useEffect(() => {
    if (asking.about !== "argument" && asking.about !== "reason") heading.current?.focus();
    setWaiting(true);
    const ready = setTimeout(() => setWaiting(false), BREATH_MS);
    return () => clearTimeout(ready);
  }, [asking.number]);
  const answer = (text: string) => {
    if (isWaiting) return;
    setWaiting(true);
    onAnswer(text);
    // refused, it may be answered anew
    setTimeout(() => setWaiting(false), 2_000);
  };
  const own = { asking, isWaiting, onAnswer: answer };
  return (
    <>
      {asking.about !== "consent" && asking.scene && <SceneTold scene={asking.scene} asking={asking} />}
      <Texts asking={asking} />
      <h2 ref={heading} tabIndex={-1}>
        {TITLES[asking.about]}
      </h2>
      {chosen !== null && (asking.about === "argument" || asking.about === "reason") && (
        <p class="muted">
          You chose <Text most={120}>{chosen}</Text>
        </p>
      )}
      <p class="missing" role="alert">
        {asking.mistake && <Text most={600}>{asking.mistake}</Text>}
      </p>
      {asking.about === "consent" && <Consent {...own} />}
      {asking.about === "sure" && <Sure {...own} />}
      {asking.about === "option" && <OptionCards {...own} />}
      {asking.about === "argument" && <Argument {...own} />}
      {asking.about === "reason" && <Reason {...own} />}
      {asking.about !== "consent" && <Commands {...own} />}
    </>
  );
}

interface OwnProps extends AskingProps {
  isWaiting: boolean;
}

/** What moves stands open while an option is chosen, and folded while that one's questions are asked. */
function SceneTold({ scene, asking }: { scene: Scene; asking: Asking }) {
  const isRead = asking.about === "option";
  const isNew = (scene.step === 0 && scene.episode === 1) || asking.texts.some(({ title }) => title === HELP);
  return (
    <>
      <p class="muted">
        Episode {scene.episode}
        {scene.episodes !== null && ` of ${scene.episodes}`}, step {scene.step}: you are <Text most={60}>{scene.role}</Text>
      </p>
      <details class="section" open={isRead}>
        <summary>Situation</summary>
        <Passage text={scene.text} label="Situation" />
      </details>
      {scene.rules && (
        <details class="section" open={isRead && isNew}>
          <summary>The rules</summary>
          <Passage text={scene.rules} label="The rules" />
        </details>
      )}
    </>
  );
}

/** What was to be read since the last question; the rules stand with the scene, the consent in its own form. */
function Texts({ asking }: { asking: Asking }) {
  if (asking.about === "consent") return null;
  const others = asking.texts.filter(({ title }) => title !== RULES);
  return (
    <>
      {others.map(({ title, text }, place) =>
        title === HELP ? (
          <Help key={place} />
        ) : (
          <details key={place} class="section" open>
            <summary>
              <Text most={100}>{title}</Text>
            </summary>
            <Passage text={text} label={title} />
          </details>
        ),
      )}
    </>
  );
}

function Help() {
  return (
    <div class="note help">
      <p>
        Press an option, or the number before it. <b>Choose anew</b> leaves what an option asks for. <b>Decline this decision</b> is kept as declined, not as a
        choice. <b>Stop</b> ends it: an episode that is not finished does not count. The rules stand above.
      </p>
    </div>
  );
}

function Consent({ asking, isWaiting, onAnswer }: OwnProps) {
  const text = asking.texts.map((each) => each.text).join("\n\n");
  return <Agreeing text={text} isWaiting={isWaiting} onAgree={() => onAnswer("yes")} onDecline={() => onAnswer("no")} />;
}

function Sure({ asking, isWaiting, onAnswer }: OwnProps) {
  return (
    <>
      <p>
        <Text most={300}>{asking.prompt.replace(/ yes or no$/, "")}</Text>
      </p>
      <p class="answers">
        <button type="button" class="main" disabled={isWaiting} onClick={() => onAnswer("yes")}>
          Yes
        </button>
        <button type="button" disabled={isWaiting} onClick={() => onAnswer("no")}>
          No
        </button>
      </p>
    </>
  );
}

function OptionCards({ asking, isWaiting, onAnswer }: OwnProps) {
  useNumbers((number) => {
    const name = asking.choices[number - 1];
    if (name !== undefined) onAnswer(name);
  }, asking.is_numbered && !isWaiting);
  const told = new Map((asking.scene?.options ?? []).map((option): [string, SceneOption] => [option.name, option]));
  return (
    <div class={`cards${asking.choices.length > 9 && !hasTexts(told) ? " are-many" : ""}`}>
      {asking.choices.map((name, place) => {
        const option = told.get(name);
        return (
          <button key={name} type="button" class="card" disabled={isWaiting} onClick={() => onAnswer(name)}>
            <span class="card-name">
              {asking.is_numbered && place < 9 && <kbd aria-hidden="true">{place + 1}</kbd>}
              <strong>
                <Text most={120}>{name}</Text>
              </strong>
            </span>
            {option?.text && (
              <span class="card-text">
                <Text most={2000}>{option.text}</Text>
              </span>
            )}
            {option && option.arguments.length > 0 && (
              <span class="muted small-text">
                asks for <Text most={300}>{option.arguments.map((each) => each.name).join(", ")}</Text>
              </span>
            )}
          </button>
        );
      })}
    </div>
  );
}

function hasTexts(told: Map<string, SceneOption>): boolean {
  return [...told.values()].some((option) => option.text.length > 60);
}

/** Return the bounds that a prompt such as "amount (a number from 0 to 10)" tells. */
function boundsIn(prompt: string): [number, number] | null {
  const found = /\(a number from (\S+) to (\S+)\)$/.exec(prompt);
  const [low, high] = [Number(found?.[1]), Number(found?.[2])];
  return found && Number.isFinite(low) && Number.isFinite(high) ? [low, high] : null;
}

function longestIn(prompt: string): number {
  return Number(/at most (\d+) characters/.exec(prompt)?.[1] ?? 2000);
}

function Argument(props: OwnProps) {
  const { asking } = props;
  const bounds = boundsIn(asking.prompt);
  if (asking.choices.length > 0) return <Names {...props} />;
  if (bounds) return <Figure {...props} bounds={bounds} />;
  return <Words {...props} label={asking.prompt.replace(", Enter for none)", ")")} send="Go on" skip="Leave it empty" />;
}

function Names({ asking, isWaiting, onAnswer }: OwnProps) {
  return (
    <>
      <p>
        <Text most={120}>{asking.prompt.replace(/ \(.*$/s, "")}</Text>
      </p>
      <OptionCards asking={{ ...asking, scene: null }} isWaiting={isWaiting} onAnswer={onAnswer} />
    </>
  );
}

function Figure({ asking, isWaiting, onAnswer, bounds }: OwnProps & { bounds: [number, number] }) {
  const [given, setGiven] = useState<number | null>(null);
  const field = useRef<HTMLFormElement>(null);
  useEffect(() => field.current?.querySelector("input")?.focus(), []);
  return (
    <form
      ref={field}
      class="answer"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        // the server says what is wrong with it, beside the field
        onAnswer(given === null ? "" : String(given));
      }}
    >
      <Amount
        name={asking.prompt.replace(/ \(.*$/s, "")}
        low={bounds[0]}
        high={bounds[1]}
        given={given}
        onGive={(each) => setGiven(typeof each === "number" ? each : null)}
      />
      <p class="answers">
        <button type="submit" class="main" disabled={isWaiting}>
          Go on
        </button>
      </p>
    </form>
  );
}

function Reason(props: OwnProps) {
  return <Words {...props} label={props.asking.prompt.replace(/ \(.*$/s, "")} send="Go on" skip="Skip" />;
}

interface WordsProps extends OwnProps {
  label: string;
  send: string;
  skip: string;
}

function Words({ asking, isWaiting, onAnswer, label, send, skip }: WordsProps) {
  const [typed, setTyped] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  // a question is answered on one line
  const give = () => onAnswer(typed.replace(/\s*\n\s*/g, " ").trim());
  return (
    <form
      class="answer"
      onSubmit={(event) => {
        event.preventDefault();
        give();
      }}
    >
      <label class="field">
        <Text most={200}>{label}</Text>
        <textarea
          ref={field}
          rows={3}
          maxLength={longestIn(asking.prompt)}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
              event.preventDefault();
              give();
            }
          }}
        />
      </label>
      <p class="answers">
        <button type="submit" class="main" disabled={isWaiting || typed.trim() === ""}>
          {send}
        </button>
        <button type="button" disabled={isWaiting} onClick={() => onAnswer("")}>
          {skip}
        </button>
      </p>
    </form>
  );
}

const COMMANDS: { [command: string]: string } = { back: "Choose anew", "?": "Help", refuse: "Decline this decision", q: "Stop" };

function Commands({ asking, isWaiting, onAnswer }: OwnProps) {
  const listed = Object.keys(COMMANDS).filter((command) => asking.commands.includes(command));
  if (listed.length === 0) return null;
  return (
    <p class="commands" role="group" aria-label="Instead of an answer">
      {listed.map((command) => (
        <button key={command} type="button" class="small" disabled={isWaiting} onClick={() => onAnswer(asking.is_text ? `/${command}` : command)}>
          {COMMANDS[command]}
        </button>
      ))}
    </p>
  );
}
