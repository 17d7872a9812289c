// The answer to a moment: an option with what it asks for, a rating of each, or how surprised somebody is.
import { useState } from "preact/hooks";
import { Text } from "../text";
import type { Table } from "../types";
import { Choosing, OptionText, Scale, Takings, missingIn, useNumbers } from "./fields";
import type { Answer, BlindMoment, Phase, Task } from "./judging";

interface AnswerFormProps {
  moment: BlindMoment;
  task: Task;
  phase: Phase;
  isWaiting: boolean;
  onSay: (answer: Answer | null, confidence: number | null) => void;
}

export function AnswerForm(props: AnswerFormProps) {
  const { moment, task, phase, isWaiting, onSay } = props;
  const [option, setOption] = useState<string | null>(null);
  const [takings, setTakings] = useState<Table>({});
  const [ratings, setRatings] = useState<{ [option: string]: number }>({});
  const [surprise, setSurprise] = useState<number | null>(null);
  const [confidence, setConfidence] = useState<number | null>(null);
  const [missing, setMissing] = useState<string | null>(null);
  const taken = moment.options.find((each) => each.name === option);
  const takes = task === "decide" ? (taken?.arguments ?? {}) : {};
  const isSurprise = task === "guess" && phase === "after";

  const answer = (): Answer | string => {
    if (isSurprise) return surprise === null ? "Say how surprised you are, from 1 to 7." : { surprise };
    if (task === "rate") return Object.keys(ratings).length < moment.options.length ? "Rate each option, from 1 to 7." : { ratings };
    if (option === null) return "Choose one of the options first.";
    return missingIn(takes, takings) ?? (task === "decide" ? { option, arguments: takings } : { option });
  };
  const send = (event: Event) => {
    event.preventDefault();
    const told = answer();
    if (typeof told === "string") setMissing(told);
    else onSay(told, confidence);
  };
  return (
    <form class="answer" onSubmit={send}>
      {isSurprise ? (
        <Surprise given={surprise} onGive={setSurprise} />
      ) : task === "rate" ? (
        <Ratings
          moment={moment}
          given={ratings}
          onRate={(name, number) => setRatings((were) => rated(moment, were, name, number))}
        />
      ) : (
        <Choosing
          legend="The options"
          options={moment.options}
          chosen={option}
          onChoose={(name) => {
            if (name !== option) setTakings({});
            setOption(name);
            setMissing(null);
          }}
          mark={(name) => marked(moment, name)}
        />
      )}
      <Takings takes={takes} given={takings} onGive={setTakings} />
      <Scale name="confidence" legend="How sure are you? (may stay open)" least="not at all" most="entirely" given={confidence} onGive={setConfidence} />
      <p class="missing" role="alert">
        {missing && <Text most={300}>{missing}</Text>}
      </p>
      <p class="answers">
        <button type="submit" class="main" disabled={isWaiting}>
          {phase === "before" ? "Answer, then see what was chosen" : "Answer, and go on"}
        </button>
        <button type="button" disabled={isWaiting} onClick={() => onSay(null, null)}>
          Decline
        </button>
      </p>
    </form>
  );
}

function marked(moment: BlindMoment, name: string): string | null {
  const told = [];
  if (moment.judged?.answer?.option === name) told.push("your answer before");
  if (moment.revealed?.chosen === name) told.push("taken");
  return told.join(", ") || null;
}

function Surprise({ given, onGive }: { given: number | null; onGive: (given: number) => void }) {
  useNumbers((number) => number <= 7 && onGive(number));
  return <Scale name="surprise" legend="How surprised are you by what it did?" least="not at all" most="very" given={given} onGive={onGive} />;
}

interface RatingsProps {
  moment: BlindMoment;
  given: { [option: string]: number };
  /** Without a name the first option that has no rating yet is rated. */
  onRate: (name: string | null, number: number) => void;
}

/** Return the ratings with one more; keys may come faster than the page is drawn. */
function rated(moment: BlindMoment, were: { [option: string]: number }, name: string | null, number: number) {
  const next = name ?? moment.options.find((each) => were[each.name] === undefined)?.name;
  return next === undefined ? were : { ...were, [next]: number };
}

/** A rating for each option; a number key rates the first that has none yet. */
function Ratings({ moment, given, onRate }: RatingsProps) {
  useNumbers((number) => number <= 7 && onRate(null, number));
  const next = moment.options.find((each) => given[each.name] === undefined);
  return (
    <div class="ratings" role="group" aria-label="A rating for each option">
      {moment.options.map((option, place) => (
        <div key={option.name} class={`card${option === next ? " is-next" : ""}`}>
          <Scale
            name={`rating-${place}`}
            legend={ratingLegend(moment, option.name)}
            least="wrong"
            most="right"
            given={given[option.name] ?? null}
            onGive={(number) => onRate(option.name, number)}
          >
            <OptionText card={option} />
          </Scale>
        </div>
      ))}
    </div>
  );
}

function ratingLegend(moment: BlindMoment, name: string): string {
  const before = moment.judged?.answer?.ratings?.[name];
  const told = [...(moment.revealed?.chosen === name ? ["taken"] : []), ...(before === undefined ? [] : [`${before} before`])];
  return told.length ? `${name} (${told.join(", ")})` : name;
}
