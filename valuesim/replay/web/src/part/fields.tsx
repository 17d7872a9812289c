// What a person answers with: options as cards, scales from 1 to 7, and what an option asks for.
import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { Passage, Text } from "../text";
import type { Json, Table } from "../types";

const SCALE = [1, 2, 3, 4, 5, 6, 7];
const SHORT = 1_200;

export interface Card {
  name: string;
  text: string;
}

/** Call `onNumber` when one of the keys 1 to 9 is pressed outside of fields that text is typed into. */
export function useNumbers(onNumber: (number: number) => void, isOn = true): void {
  useLayoutEffect(() => {
    if (!isOn) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyped(event.target)) return;
      if (/^[1-9]$/.test(event.key)) {
        event.preventDefault();
        onNumber(Number(event.key));
      }
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  });
}

function isTyped(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !["radio", "range", "checkbox"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

export function OptionText({ card }: { card: Card }) {
  if (!card.text) return null;
  if (card.text.length > SHORT) return <Passage text={card.text} label={`Text of ${card.name}`} />;
  return (
    <span class="card-text">
      <Text most={SHORT}>{card.text}</Text>
    </span>
  );
}

interface ChoosingProps<Kind extends Card> {
  legend: string;
  options: Kind[];
  chosen: string | null;
  onChoose: (name: string) => void;
  /** What is told beside an option, such as that it was taken. */
  mark?: (name: string) => string | null;
}

/** One of the options, in the order in which they were offered; a number key takes the one of its place. */
export function Choosing<Kind extends Card>({ legend, options, chosen, onChoose, mark }: ChoosingProps<Kind>) {
  useNumbers((number) => {
    const option = options[number - 1];
    if (!option) return;
    onChoose(option.name);
    document.getElementById(`option-${number}`)?.focus();
  });
  return (
    <fieldset class="choosing">
      <legend>{legend}</legend>
      {options.map((option, place) => {
        const told = mark?.(option.name);
        return (
          <label key={option.name} class={`card${option.name === chosen ? " is-chosen" : ""}`}>
            <input type="radio" id={`option-${place + 1}`} name="option" checked={option.name === chosen} onChange={() => onChoose(option.name)} />
            <span class="card-name">
              {place < 9 && <kbd aria-hidden="true">{place + 1}</kbd>}
              <strong>
                <Text most={120}>{option.name}</Text>
              </strong>
              {told && <span class="badge">{told}</span>}
            </span>
            <OptionText card={option} />
          </label>
        );
      })}
    </fieldset>
  );
}

interface ScaleProps {
  name: string;
  legend: string;
  least: string;
  most: string;
  given: number | null;
  onGive: (given: number) => void;
  /** What stands below the legend. */
  children?: ComponentChildren;
}

/** A whole number from 1 to 7. */
export function Scale({ name, legend, least, most, given, onGive, children }: ScaleProps) {
  return (
    <fieldset class="scale">
      <legend>
        <Text most={200}>{legend}</Text>
      </legend>
      {children}
      <div class="scale-row">
        <span class="muted" aria-hidden="true">
          {least}
        </span>
        {SCALE.map((number) => (
          <label key={number} class={number === given ? "is-chosen" : ""}>
            <input type="radio" name={name} checked={number === given} onChange={() => onGive(number)} />
            <span>
              {number}
              <span class="unseen">{number === 1 ? ` ${least}` : number === 7 ? ` ${most}` : ""}</span>
            </span>
          </label>
        ))}
        <span class="muted" aria-hidden="true">
          {most}
        </span>
      </div>
    </fieldset>
  );
}

/** What the option that is chosen asks for, a field each. */
export function Takings({ takes, given, onGive }: { takes: { [name: string]: Json }; given: Table; onGive: (given: Table) => void }) {
  const named = Object.entries(takes);
  if (named.length === 0) return null;
  return (
    <div class="takings">
      {named.map(([name, kind]) => (
        <Taking key={name} name={name} kind={kind} given={given[name]} onGive={(each) => onGive({ ...given, [name]: each })} />
      ))}
    </div>
  );
}

/** Return what is missing of what an option asks for, as a sentence; null where all is there. */
export function missingIn(takes: { [name: string]: Json }, given: Table): string | null {
  for (const [name, kind] of Object.entries(takes)) {
    const told = given[name];
    if (typeof kind === "number") continue;
    if (told === undefined || told === "") return `Say ${name} first.`;
    const bounds = boundsOf(kind);
    if (bounds && (typeof told !== "number" || told < bounds[0] || told > bounds[1])) return `${name} is a number from ${bounds[0]} to ${bounds[1]}.`;
  }
  return null;
}

export function boundsOf(kind: Json): [number, number] | null {
  if (!Array.isArray(kind) || kind.length !== 2) return null;
  const [low, high] = kind;
  return typeof low === "number" && typeof high === "number" ? [low, high] : null;
}

function Taking({ name, kind, given, onGive }: { name: string; kind: Json; given: Json | undefined; onGive: (given: Json) => void }) {
  const bounds = boundsOf(kind);
  if (bounds) return <Amount name={name} low={bounds[0]} high={bounds[1]} given={typeof given === "number" ? given : null} onGive={onGive} />;
  if (Array.isArray(kind)) {
    return (
      <label class="field">
        <Text most={60}>{name}</Text>
        <select value={typeof given === "string" ? given : ""} onChange={(event) => onGive(event.currentTarget.value)}>
          <option value="" disabled>
            choose…
          </option>
          {kind.map((each) => (
            <option key={String(each)} value={String(each)}>
              {String(each)}
            </option>
          ))}
        </select>
      </label>
    );
  }
  return (
    <label class="field">
      <span>
        <Text most={60}>{name}</Text> (text, may stay empty)
      </span>
      <textarea rows={2} maxLength={typeof kind === "number" ? kind : 400} value={typeof given === "string" ? given : ""} onInput={(event) => onGive(event.currentTarget.value)} />
    </label>
  );
}

interface AmountProps {
  name: string;
  low: number;
  high: number;
  given: number | null;
  onGive: (given: Json) => void;
}

/** A number between bounds, typed or slid; nothing is said of it until it is given. */
export function Amount({ name, low, high, given, onGive }: AmountProps) {
  const give = (typed: string) => onGive(typed === "" || Number.isNaN(Number(typed)) ? "" : Number(typed));
  const isWhole = Number.isInteger(low) && Number.isInteger(high) && high - low >= 5;
  return (
    <div class="amount-field">
      <label class="field">
        <span>
          <Text most={60}>{name}</Text> ({low} to {high})
        </span>
        <input type="number" class="typed" inputMode="decimal" min={low} max={high} step="any" value={given ?? ""} onInput={(event) => give(event.currentTarget.value)} />
      </label>
      <input
        type="range"
        class={given === null ? "is-unset" : ""}
        aria-label={`${name}, slider`}
        min={low}
        max={high}
        step={isWhole ? 1 : (high - low) / 20 || 1}
        value={given ?? (low + high) / 2}
        onInput={(event) => give(event.currentTarget.value)}
      />
    </div>
  );
}
