// What is done to the model of a role beside its world: kept, taken away, or added, a persona among it.
import { useState } from "preact/hooks";
import { Text, visible } from "../text";
import { said } from "../words";
import type { Branching, RoleThere, Setting } from "./contract";
import { madeOn, takenBy, type Made, type RoleDraft } from "./draft";
import { settingFault } from "./settings";

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
            <Intervention
              made={one}
              takes={takenBy(there, one.name)}
              role={role}
              onTyped={(name, typed) => set(made.with(place, { ...one, typed: { ...one.typed, [name]: typed } }))}
              onRemove={() => set(made.filter((_, at) => at !== place))}
            />
          </li>
        ))}
      </ul>
      <div class="row">
        {free.length > 0 && <Add names={free} role={role} onAdd={(name) => set([...made, { name, settings: null, typed: {} }])} />}
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
  takes: Setting[];
  role: string;
  onTyped: (setting: string, typed: string) => void;
  onRemove: () => void;
}

function Intervention({ made, takes, role, onTyped, onRemove }: InterventionProps) {
  const told = Object.entries(made.settings ?? {}).filter(([, value]) => value !== null).map(([key, value]) => `${key}: ${said(value)}`);
  const name = visible(made.name).slice(0, 60);
  return (
    <>
      <p>
        <Text most={60}>{made.name}</Text> {told.length > 0 && <span class="muted small-text"><Text most={200}>{told.join(", ")}</Text></span>}
        <button type="button" class="small quiet" onClick={onRemove}>
          Remove<span class="unseen"> {name} from {role}</span>
        </button>
      </p>
      {made.settings === null && takes.length > 0 && (
        <div class="row">
          {takes.map((each) => (
            <Field key={each.name} setting={each} of={made.name} role={role} typed={made.typed[each.name] ?? ""} onTyped={(typed) => onTyped(each.name, typed)} />
          ))}
        </div>
      )}
    </>
  );
}

interface FieldProps {
  setting: Setting;
  /** The name of the intervention. */
  of: string;
  role: string;
  typed: string;
  onTyped: (typed: string) => void;
}

function Field({ setting, of, role, typed, onTyped }: FieldProps) {
  const isPersona = of === "persona" && setting.name === "text";
  const isLong = isPersona || setting.kind === "table";
  const label = isPersona ? `Persona of ${role}` : `${setting.name} of ${visible(of).slice(0, 60)} on ${role}`;
  const fault = typed === "" ? null : settingFault(setting, typed);
  return (
    <label class={isLong ? "field wide" : "field"}>
      <span>{isPersona ? "Who the model is told to be" : setting.name}</span>
      <Entry setting={setting} isLong={isLong} told={{ "aria-label": label, "aria-invalid": fault !== null, value: typed }} onTyped={onTyped} />
      {fault && <span class="under faulty">{fault}</span>}
      {setting.about && !isPersona && <span class="under">{setting.about}</span>}
    </label>
  );
}

interface EntryProps {
  setting: Setting;
  isLong: boolean;
  told: { "aria-label": string; "aria-invalid": boolean; value: string };
  onTyped: (typed: string) => void;
}

/** The field of a setting; where it is left empty, it is as `valuesim run` has it, which is shown in it. */
function Entry({ setting: { kind, default: own }, isLong, told, onTyped }: EntryProps) {
  const usual = own === null ? "" : said(own);
  if (isLong) return <textarea {...told} rows={2} placeholder={kind === "table" ? "Care: 1, Power: -0.5" : ""} onInput={(event) => onTyped(event.currentTarget.value)} />;
  if (kind !== "flag") return <input {...told} type="text" inputMode={kind === "number" ? "decimal" : "text"} placeholder={usual} onInput={(event) => onTyped(event.currentTarget.value)} />;
  return (
    <select {...told} onChange={(event) => onTyped(event.currentTarget.value)}>
      <option value="">{usual}, as usual</option>
      <option value="yes">yes</option>
      <option value="no">no</option>
    </select>
  );
}
