// One question to a person who plays: consent, an option, what it asks for, reasons, or whether they are sure.
import { useEffect, useRef, useState } from "preact/hooks";
import { Passage, Text } from "../text";
import { Argument, Reason } from "./arguments";
import { Consent, OptionCards, type OwnProps, Sure } from "./choices";
import type { Asking, Scene } from "./plays";

interface AskingProps {
  asking: Asking;
  onAnswer: (text: string) => void;
}

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
    // fields take the focus themselves; what moves must not be scrolled out of sight
    if (asking.about !== "argument" && asking.about !== "reason") {
      heading.current?.focus({ preventScroll: true });
      if (asking.mistake === null) window.scrollTo(0, 0);
    }
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

/** What moves stands open while an option is chosen, and folded while that one's questions are asked. */
function SceneTold({ scene, asking }: { scene: Scene; asking: Asking }) {
  const isRead = asking.about === "option";
  const isNew = (scene.step === 0 && scene.episode === 1) || hasHelp(asking);
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

export function hasHelp(asking: Asking): boolean {
  return asking.texts.some(({ kind }) => kind === "help");
}

/** What was to be read since the last question; the rules stand with the scene, the consent in its own form. */
function Texts({ asking }: { asking: Asking }) {
  if (asking.about === "consent") return null;
  const others = asking.texts.filter(({ kind }) => kind !== "rules");
  return (
    <>
      {others.map(({ kind, title, text }, place) =>
        kind === "help" ? (
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
