// What is done to the model of a role beside its world: kept, taken away, or added, a persona among it.
import { useState } from "preact/hooks";
import { Text, visible } from "../text";
import { said } from "../words";
import type { Branching, RoleThere } from "./contract";
import { madeOn, settingsOf, type Made, type RoleDraft } from "./draft";

interface InterventionsProps {
  there: Branching;
  each: RoleThere;
  draft: RoleDraft;
  onChange: (next: Partial<RoleDraft>) => void;
}

export function Interventions({ there, each, draft, onChange }: InterventionsProps) {
  const made = draft.made ?? madeOn(each.player.interventions);
  const free = there.interventions.filter((name) => made.every((one) => one.name !== name));
  const role = visible(each.role.slice(0, 60));
  const set = (next: Made[]) => onChange({ made: next });
  return (
    <fieldset class="made">
      <legend>Interventions on its model</legend>
      {made.length === 0 && <p class="muted small-text">None.</p>}
      <ul>
        {made.map((one, place) => (
          <li key={one.name}>
            <Intervention made={one} role={role} onTyped={(typed) => set(made.with(place, { ...one, typed }))} onRemove={() => set(made.filter((_, at) => at !== place))} />
          </li>
        ))}
      </ul>
      <div class="row">
        {free.length > 0 && <Add names={free} role={role} onAdd={(name) => set([...made, { name, settings: null, typed: "" }])} />}
        {draft.made !== null && (
          <button type="button" class="small quiet" onClick={() => onChange({ made: null })}>
            As they were<span class="unseen"> on {role}</span>
          </button>
        )}
      </div>
    </fieldset>
  );
}

function Add({ names, role, onAdd }: { names: string[]; role: string; onAdd: (name: string) => void }) {
  const [name, setName] = useState(names.includes("persona") ? "persona" : (names[0] ?? ""));
  const shown = names.includes(name) ? name : (names[0] ?? "");
  return (
    <span class="add">
      <select aria-label={`Intervention to add on ${role}`} value={shown} onChange={(event) => setName(event.currentTarget.value)}>
        {names.map((each) => (
          <option key={each} value={each}>
            {visible(each).slice(0, 60)}
          </option>
        ))}
      </select>
      <button type="button" class="small" onClick={() => onAdd(shown)}>
        Add<span class="unseen"> intervention on {role}</span>
      </button>
    </span>
  );
}

interface InterventionProps {
  made: Made;
  role: string;
  onTyped: (typed: string) => void;
  onRemove: () => void;
}

function Intervention({ made, role, onTyped, onRemove }: InterventionProps) {
  const told = Object.entries(made.settings ?? {}).map(([key, value]) => `${key}: ${said(value)}`);
  const isPersona = made.name === "persona";
  const name = visible(made.name).slice(0, 60);
  return (
    <>
      <p>
        <Text most={60}>{made.name}</Text> {told.length > 0 && <span class="muted small-text"><Text most={200}>{told.join(", ")}</Text></span>}
        <button type="button" class="small quiet" onClick={onRemove}>
          Remove<span class="unseen"> {name} from {role}</span>
        </button>
      </p>
      {made.settings === null && (
        <label class="field wide">
          <span>{isPersona ? "Who the model is told to be" : "Its settings, one a line (level: 3); without any, those of `valuesim run`"}</span>
          <textarea
            rows={isPersona ? 3 : 2}
            value={made.typed}
            aria-label={isPersona ? `Persona of ${role}` : `Settings of ${name} on ${role}`}
            aria-invalid={settingsOf(made) === null}
            onInput={(event) => onTyped(event.currentTarget.value)}
          />
        </label>
      )}
    </>
  );
}
