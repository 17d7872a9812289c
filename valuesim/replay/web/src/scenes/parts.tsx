// What scenes share: texts of models and logs as text, tokens, options.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Text, visible } from "../text";
import type { Moment, OptionShown } from "../types";
import { type Actor, numeral, optionsShown } from "./reading";

const LONGEST = 2000;

/** Text of anybody, cut at `longest` characters until all of it is asked for. */
export function Said({ text, longest = LONGEST }: { text: string; longest?: number }) {
  // which text was asked for in full: the next one begins cut again
  const [whole, setWhole] = useState<string | null>(null);
  const isWhole = whole === text;
  return (
    <>
      <span class="scene-said"><Text most={isWhole ? Infinity : longest}>{text}</Text></span>
      {text.length > longest && (
        <button type="button" class="scene-more" aria-expanded={isWhole} onClick={() => setWhole(isWhole ? null : text)}>
          {isWhole ? "Show less" : `Show all ${text.length.toLocaleString("en")} characters`}
        </button>
      )}
    </>
  );
}

/** A name on one line, cut by the style sheet where it does not fit. */
export function Name({ children }: { children: string }) {
  return <span class="scene-name" title={visible(children.slice(0, 300))}><Text>{children}</Text></span>;
}

export function Token({ actor, isOff = false }: { actor: Actor; isOff?: boolean }) {
  return (
    <span class={`scene-token scene-colour-${actor.colour}${isOff ? " is-off" : ""}`} aria-hidden="true">
      {visible(actor.mark)}
    </span>
  );
}

/** What somebody said, as a bubble; `children` are what was said with it: a promise, a place. */
export function Bubble({ sender, actor, text, children }: BubbleProps) {
  return (
    <li>
      {actor && <Token actor={actor} />}
      <div class="scene-bubble" tabIndex={0}>
        <span class="scene-from"><Name>{sender}</Name></span>
        <p>{text ? <Said text={text} longest={600} /> : <em>no words</em>}</p>
        {children}
      </div>
    </li>
  );
}

interface BubbleProps {
  sender: string;
  text: string;
  actor?: Actor | undefined;
  children?: ComponentChildren;
}

/** The width that an element has, in whole pixels, and the reference that it is told by. */
export function useWidth(first: number) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(first);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const watch = new ResizeObserver(() => setWidth(Math.max(240, Math.floor(element.clientWidth))));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return { place, width };
}

/** Options as cards, in the order in which they were offered; the chosen one is marked. */
export function Options({ moment }: { moment: Moment }) {
  const { options, left } = optionsShown(moment);
  return (
    <ol class="scene-options">
      {options.map((option) => (
        <OptionCard key={option.name} option={option} isChosen={option.name === moment.chosen} />
      ))}
      {left > 0 && <li class="scene-note">and {left.toLocaleString("en")} more</li>}
    </ol>
  );
}

function OptionCard({ option, isChosen }: { option: OptionShown; isChosen: boolean }) {
  return (
    <li class={isChosen ? "scene-option is-chosen" : "scene-option"}>
      <div class="scene-option-head">
        <Name>{option.name}</Name>
        {isChosen && <span class="scene-mark">chosen</span>}
      </div>
      {option.text !== option.name && <p><Said text={option.text} /></p>}
      <Stakes option={option} />
    </li>
  );
}

function Stakes({ option }: { option: OptionShown }) {
  const stakes = Object.entries(option.stakes).sort((a, b) => b[1] - a[1]);
  if (stakes.length === 0) return null;
  return (
    <ul class="scene-stakes" aria-label="Stakes">
      {stakes.map(([value, stake]) => (
        <li key={value} class={stake < 0 ? "is-against" : "is-for"}>
          <Text>{value}</Text> {stake > 0 ? "+" : "\u2212"}{numeral(Math.abs(stake))}
        </li>
      ))}
    </ul>
  );
}

/** What a decision that was none came to. */
export function NoDecision({ moment }: { moment: Moment }) {
  if (moment.fault === null) return null;
  return (
    <p class="scene-fault">
      No decision: <Text>{moment.fault}</Text>
      {moment.fault_detail ? <>, <Said text={moment.fault_detail} longest={300} /></> : null}
    </p>
  );
}
