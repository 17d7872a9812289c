// The texts of a decision: reasoning, what was said, the raw reply, earlier tries, interventions, the exact prompt.
import type { ComponentChildren } from "preact";
import { Passage, Text } from "../text";
import type { Episode, Moment, Table } from "../types";
import { count, isBare, own, said, sum } from "../words";
import { Facts } from "./facts";

/** Which sections stand open, kept while steps go by. */
const open = new Map<string, boolean>();

interface SectionProps {
  id: string;
  title: string;
  note?: string;
  isClosed?: boolean;
  isLeftOut?: boolean;
  children: ComponentChildren;
}

export function Section({ id, title, note, isClosed = false, isLeftOut = false, children }: SectionProps) {
  if (isLeftOut) return null;
  return (
    <details class="section" open={open.get(id) ?? !isClosed} onToggle={(event) => open.set(id, event.currentTarget.open)}>
      <summary>
        {title}
        {note && <span class="muted"> {note}</span>}
      </summary>
      {children}
    </details>
  );
}

/** What was said of the decision, and to whom: short, and read first. */
export function Sayings({ moment }: { moment: Moment }) {
  return (
    <>
      <Words id="rationale" title="Reasons it gave" text={moment.rationale} />
      <Words id="message" title="Said to the others" text={moment.message} />
    </>
  );
}

export function Texts({ episode, moment }: { episode: Episode; moment: Moment }) {
  return (
    <>
      <Words id="reasoning" title="Thinking before the answer" text={moment.reasoning ?? null} />
      <Words id="reply" title="Reply, as it came" text={moment.reply} />
      <Tries moment={moment} />
      <Section id="interventions" title="Interventions" isLeftOut={moment.added.length === 0 && isBare(moment.interventions)}>
        <Added moment={moment} />
      </Section>
      <Prompt episode={episode} moment={moment} />
    </>
  );
}

function Words({ id, title, text }: { id: string; title: string; text: string | null }) {
  return (
    <Section id={id} title={title} isLeftOut={!text} {...(text ? { note: characters(text.length) } : {})}>
      <Passage text={text ?? ""} label={title} />
    </Section>
  );
}

function Tries({ moment }: { moment: Moment }) {
  return (
    <Section id="tries" title="Earlier tries" note={count(moment.tries.length, "reply", "replies")} isLeftOut={moment.tries.length === 0}>
      {moment.tries.map((attempt, place) => (
        <article key={place}>
          <h4>
            Try {place + 1}:{" "}
            <span class="faulty">
              <Text most={60}>{attempt.fault}</Text>
            </span>
          </h4>
          {attempt.detail && (
            <p>
              <Text most={2000}>{attempt.detail}</Text>
            </p>
          )}
          <Passage text={attempt.reply} label={`Reply of try ${place + 1}`} />
          {(attempt.again ?? [])
            .filter((message) => message.role !== "assistant")
            .map((message, number) => (
              <div key={number}>
                <h4 class="muted">Asked again</h4>
                <Passage text={message.content} label={`Asked again after try ${place + 1}`} />
              </div>
            ))}
        </article>
      ))}
    </Section>
  );
}

function Added({ moment }: { moment: Moment }) {
  const beside = moment.interventions;
  const isTable = typeof beside === "object" && beside !== null && !Array.isArray(beside);
  return (
    <>
      {moment.added.map((addition, place) => (
        <article key={place}>
          <h4>
            <Text most={60}>{addition.by}</Text> <span class="muted">added, {placeIn(addition.place)}</span>
          </h4>
          <Passage text={addition.text} label={`Added by ${addition.by}`} />
        </article>
      ))}
      {!isBare(beside) && <Facts table={isTable ? (beside as Table) : { what: beside }} />}
    </>
  );
}

function placeIn(place: string): string {
  if (place === "system") return "at the end of the system message";
  return place === "before" ? "before the situation" : place === "after" ? "after the options" : place;
}

function Prompt({ episode, moment }: { episode: Episode; moment: Moment }) {
  if (moment.prompt) {
    const long = sum(moment.prompt.map((message) => message.content.length));
    return (
      <Section id="prompt" title="Prompt, as it was sent" note={`${count(moment.prompt.length, "message")}, ${characters(long)}`} isClosed>
        {moment.prompt.map((message, place) => (
          <article key={place}>
            <h4>{said(message.role)}</h4>
            <Passage text={message.content} label={`Message of ${message.role}`} />
          </article>
        ))}
      </Section>
    );
  }
  const rules = own(episode.rules, moment.role) ?? "";
  const isModel = Boolean(own(episode.population, moment.role)?.model);
  return (
    <Section id="situation" title="Situation" note={isModel ? "another version made the prompt: it is not rebuilt" : "no model was sent a prompt"} isClosed>
      <Passage text={moment.text} label="Situation" />
      {rules && (
        <>
          <h4>Rules</h4>
          <Passage text={rules} label="Rules" />
        </>
      )}
    </Section>
  );
}

function characters(n: number): string {
  return count(n, "character");
}
