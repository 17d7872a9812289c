// What the environment lets be set where an episode is left: in survival the battery and powers, which is its scarcity.
import { survivalScene } from "../scenes/survival_model";
import { gameOf } from "../scenes/reading";
import { Text, visible } from "../text";
import type { Episode } from "../types";
import { figure } from "../words";
import { numberFault, numberIn } from "./bounds";
import type { Branching } from "./contract";
import { worldName } from "./draft";

const NEAR = 100;

interface WorldProps {
  episode: Episode;
  there: Branching;
  index: number;
  typed: { [name: string]: string };
  onTyped: (typed: { [name: string]: string }) => void;
}

export function World({ episode, there, index, typed, onTyped }: WorldProps) {
  const names = Object.entries(there.world);
  if (names.length === 0) return null;
  const before = amountsAt(episode, index);
  return (
    <fieldset class="card">
      <legend>Scarcity</legend>
      <p class="muted small-text">What is set here is set before anybody is asked at step {there.step}.</p>
      {names.map(([name, bounds]) => (
        <Amount key={name} name={name} bounds={bounds} before={before.get(name) ?? null} typed={typed[name] ?? ""} onTyped={(next) => onTyped({ ...typed, [name]: next })} />
      ))}
    </fieldset>
  );
}

/** Return what can be set as the step finds it, by name, as far as the log tells. */
export function amountsAt(episode: Episode, index: number): Map<string, number> {
  const found = new Map<string, number>();
  if (gameOf(episode) !== "survival") return found;
  const scene = survivalScene(episode, index, episode.steps[index]?.moments[0]?.role ?? "");
  if (scene && scene.shared !== null) found.set("shared", scene.shared);
  for (const body of scene?.bodies ?? []) if (body.power !== null) found.set(`power ${body.name}`, body.power);
  return found;
}

interface AmountProps {
  name: string;
  bounds: [number, number];
  before: number | null;
  typed: string;
  onTyped: (typed: string) => void;
}

function Amount({ name, bounds: [low, high], before, typed, onTyped }: AmountProps) {
  const label = visible(worldName(name)).slice(0, 80);
  const most = Math.min(high, Math.max(NEAR, Math.ceil(2 * (before ?? 0))));
  const fault = typed === "" ? null : numberFault(typed, low, high);
  const at = numberIn(typed) ?? before ?? low;
  return (
    <div class="amount-row">
      <span class="amount-name">
        <Text most={60}>{capital(worldName(name))}</Text>
      </span>
      <input type="range" min={low} max={most} step="any" value={at} aria-label={`${label}, roughly`} onInput={(event) => onTyped(rounded(event.currentTarget.value, low))} />
      <input
        type="text"
        inputMode="decimal"
        value={typed}
        placeholder={before === null ? "as it was" : figure(before)}
        aria-label={label}
        aria-invalid={fault !== null}
        onInput={(event) => onTyped(event.currentTarget.value.trim())}
      />
      <button type="button" class="small quiet" aria-label={`${label}: as it was`} disabled={typed === ""} onClick={() => onTyped("")}>
        as it was
      </button>
      {fault && <span class="under faulty">{fault}</span>}
    </div>
  );
}

/** Return a whole number that may be set: nobody has a power of 0. */
function rounded(typed: string, low: number): string {
  return String(Math.max(Math.ceil(low), Math.round(Number(typed))));
}

function capital(name: string): string {
  return name.startsWith("the ") ? `${name.charAt(4).toUpperCase()}${name.slice(5)}` : name;
}
