// A question that is answered by a press: consent, yes or no, one of several names.
import { Agreeing } from "../part/agreeing";
import { useNumbers } from "../part/fields";
import { Text } from "../text";
import type { Asking, SceneOption } from "./plays";

export interface OwnProps {
  asking: Asking;
  isWaiting: boolean;
  onAnswer: (text: string) => void;
}

export function Consent({ asking, isWaiting, onAnswer }: OwnProps) {
  const text = asking.texts.map((each) => each.text).join("\n\n");
  return <Agreeing text={text} isWaiting={isWaiting} onAgree={() => onAnswer("yes")} onDecline={() => onAnswer("no")} />;
}

export function Sure({ asking, isWaiting, onAnswer }: OwnProps) {
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

export function OptionCards({ asking, isWaiting, onAnswer }: OwnProps) {
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
