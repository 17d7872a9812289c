// A question of an instrument: values to choose among as cards, a scale as its points.
import type { Moment, SceneProps } from "../types";
import { Text } from "../text";
import { Unread } from "./fallback";
import { NoDecision, Options, Said } from "./parts";
import { field, lookedAt, numberOf, optionsShown, tableOf, textOf } from "./reading";

export function Question({ episode, step, role }: SceneProps) {
  const moment = lookedAt(episode.steps[step], role);
  const view = tableOf(moment?.view);
  const form = textOf(field(view, "form"));
  if (!moment || form === null) return <Unread episode={episode} step={step} role={role} />;
  const isScale = form === "rating" || form === "items";
  return (
    <section class="scene scene-question" aria-label="The question">
      <p class="scene-heading">
        <strong>Question {numberOf(field(view, "question")) ?? "?"} of {numberOf(field(view, "questions")) ?? "?"}</strong>
        <span><Text>{form.replaceAll("_", " ")}</Text></span>
      </p>
      <div class="scene-card is-now">
        <p><Said text={moment.text} longest={4000} /></p>
        {isScale ? <Scale moment={moment} strongest={textOf(field(view, "strongest"))} /> : <Options moment={moment} />}
        <NoDecision moment={moment} />
      </div>
    </section>
  );
}

function Scale({ moment, strongest }: { moment: Moment; strongest: string | null }) {
  const { options, left } = optionsShown(moment);
  return (
    <ol class="scene-scale-points">
      {options.map((option) => (
        <li key={option.name} class={option.name === moment.chosen ? "is-chosen" : ""}>
          <span class="scene-point"><Text most={20}>{option.name}</Text></span>
          {option.text !== option.name && <span class="scene-point-text"><Text>{option.text}</Text></span>}
          {option.name === strongest && <small>says most</small>}
          {option.name === moment.chosen && <span class="scene-mark">chosen</span>}
        </li>
      ))}
      {left > 0 && <li class="scene-note">and {left.toLocaleString("en")} more</li>}
    </ol>
  );
}
