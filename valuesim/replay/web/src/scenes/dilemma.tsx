// A dilemma as a card; one that goes on after a choice as the cards so far, each with what came new.
import { useMemo } from "preact/hooks";

import { Text } from "../text";
import type { Episode, Moment, SceneProps } from "../types";
import { NoDecision, Options, Said } from "./parts";
import { chosenText, field, listOf, lookedAt, momentOf, numberOf, tableOf, textOf } from "./reading";
import { Unread } from "./fallback";

export function Dilemma({ episode, step, role }: SceneProps) {
  const cards = useMemo(() => cardsOf(episode, step, role), [episode, step, role]);
  const now = cards.at(-1);
  if (!now) return <Unread episode={episode} step={step} role={role} />;
  const notes = tableOf(now.moment.annotations);
  return (
    <section class="scene scene-dilemma" aria-label="The dilemma">
      <p class="scene-heading">
        <strong>
          Situation {numberOf(field(tableOf(now.moment.view), "number")) ?? "?"} of {numberOf(field(tableOf(now.moment.view), "situations")) ?? "?"}
        </strong>
        {textOf(field(notes, "topic")) && <span><Text>{textOf(field(notes, "topic")) ?? ""}</Text></span>}
        {cards.length > 1 && <span>turn {cards.length}</span>}
      </p>
      <ol class="scene-chain">
        {cards.map((card, place) => (
          <Card key={place} card={card} isNow={place === cards.length - 1} />
        ))}
      </ol>
    </section>
  );
}

interface CardOf {
  moment: Moment;
  paragraphs: string[];
}

/** The turns of the present situation up to this step; of each the paragraphs that it adds. */
export function cardsOf(episode: Episode, step: number, role: string): CardOf[] {
  const looked = lookedAt(episode.steps[step], role);
  if (!looked) return [];
  const scene = field(tableOf(looked.annotations), "scene");
  const chain: Moment[] = [looked];
  for (let at = step - 1; at >= 0 && listOf(field(tableOf(chain[0]?.view), "chosen")).length > 0; at -= 1) {
    const before = momentOf(episode.steps[at], looked.role);
    if (!before || field(tableOf(before.annotations), "scene") !== scene) break;
    chain.unshift(before);
  }
  let known: string[] = [];
  return chain.map((moment) => {
    const paragraphs = moment.text.split(/\n{2,}/);
    const fresh = paragraphs.findIndex((paragraph, place) => paragraph !== known[place]);
    known = paragraphs;
    return { moment, paragraphs: fresh < 0 ? [] : paragraphs.slice(fresh) };
  });
}

function Card({ card, isNow }: { card: CardOf; isNow: boolean }) {
  return (
    <li class={isNow ? "scene-card is-now" : "scene-card"} aria-current={isNow ? "step" : undefined}>
      {card.paragraphs.map((paragraph, place) => (
        <p key={place}><Said text={paragraph} longest={4000} /></p>
      ))}
      {isNow ? <Options moment={card.moment} /> : <p class="scene-note">Chosen: <Said text={chosenText(card.moment) ?? "no decision"} longest={600} /></p>}
      <NoDecision moment={card.moment} />
    </li>
  );
}
