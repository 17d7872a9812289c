// A question that is answered by typing: what an option asks for, within the bounds that it tells, and reasons.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Amount } from "../part/fields";
import { Text } from "../text";
import { OptionCards, type OwnProps } from "./choices";

/** What no question allows more of. */
const LONGEST = 10_000;

export function Argument(props: OwnProps) {
  const { name, argument } = props.asking;
  if (argument?.kind === "name") return <Names {...props} />;
  if (argument?.kind === "amount") return <Figure {...props} low={argument.low} high={argument.high} />;
  const longest = argument?.kind === "text" ? argument.longest : LONGEST;
  return <Words {...props} label={`${name ?? "Your answer"} (text of at most ${longest} characters)`} longest={longest} send="Go on" skip="Leave it empty" />;
}

function Names({ asking, isWaiting, onAnswer }: OwnProps) {
  return (
    <>
      <p>
        <Text most={120}>{asking.name ?? ""}</Text>
      </p>
      <OptionCards asking={{ ...asking, scene: null }} isWaiting={isWaiting} onAnswer={onAnswer} />
    </>
  );
}

function Figure({ asking, isWaiting, onAnswer, low, high }: OwnProps & { low: number; high: number }) {
  const [given, setGiven] = useState<number | null>(null);
  const field = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => field.current?.querySelector("input")?.focus(), []);
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
        name={asking.name ?? ""}
        low={low}
        high={high}
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

export function Reason(props: OwnProps) {
  const { argument } = props.asking;
  return <Words {...props} label="Your reason, if you like" longest={argument?.kind === "text" ? argument.longest : LONGEST} send="Go on" skip="Skip" />;
}

interface WordsProps extends OwnProps {
  label: string;
  longest: number;
  send: string;
  skip: string;
}

function Words({ isWaiting, onAnswer, label, longest, send, skip }: WordsProps) {
  const [typed, setTyped] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
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
          maxLength={longest}
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
