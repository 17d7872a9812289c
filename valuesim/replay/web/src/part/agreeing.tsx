// Consent: a text that is read, and two buttons.
import { useState } from "preact/hooks";
import { Text } from "../text";

interface AgreeingProps {
  text: string;
  /** Whether a participant's code is asked for. */
  hasCode?: boolean;
  isWaiting?: boolean;
  onAgree: (code: string) => void;
  onDecline: () => void;
}

const CODE = "[A-Za-z0-9_\\-]{0,40}";

export function Agreeing({ text, hasCode = false, isWaiting = false, onAgree, onDecline }: AgreeingProps) {
  const [code, setCode] = useState("");
  return (
    <form
      class="consent"
      onSubmit={(event) => {
        event.preventDefault();
        onAgree(code);
      }}
    >
      <div class="consent-text">
        {text.split(/\n\s*\n|\n/).map((part, place) => part.trim() && <p key={place}>{<Text most={10_000}>{part.trim()}</Text>}</p>)}
      </div>
      {hasCode && <Code code={code} onCode={setCode} />}
      <p class="answers">
        <button type="submit" class="main" disabled={isWaiting}>
          I take part
        </button>
        <button type="button" disabled={isWaiting} onClick={onDecline}>
          I do not take part
        </button>
      </p>
    </form>
  );
}

export function Code({ code, onCode }: { code: string; onCode: (code: string) => void }) {
  return (
    <label class="field code">
      Participant code, if you were given one (no names)
      <input class="typed" type="text" value={code} pattern={CODE} maxLength={40} autoComplete="off" title="letters, digits, - and _" onInput={(event) => onCode(event.currentTarget.value)} />
    </label>
  );
}
