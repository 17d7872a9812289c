// A decision that is given: one of the options offered, with what it takes.
import { Text, visible } from "../text";
import { figure } from "../words";
import { faultOf, firstOf, kindsOf, type Kind } from "./bounds";
import type { RoleThere } from "./contract";
import type { RoleDraft } from "./draft";

interface MoveProps {
  each: RoleThere;
  draft: RoleDraft;
  role: string;
  onChange: (next: Partial<RoleDraft>) => void;
}

export function Move({ each, draft, role, onChange }: MoveProps) {
  const option = each.options.find((one) => one.name === draft.option);
  return (
    <>
      <label class="field">
        <span>Takes</span>
        <select aria-label={`Option that ${role} takes`} value={draft.option} onChange={(event) => onChange({ option: event.currentTarget.value, typed: {} })}>
          {each.options.map((one) => (
            <option key={one.name} value={one.name}>
              {visible(one.name).slice(0, 60)}
            </option>
          ))}
        </select>
      </label>
      {option && option.text !== option.name && (
        <p class="muted small-text wide">
          <Text most={400}>{option.text}</Text>
        </p>
      )}
      {option &&
        kindsOf(option.arguments).map(([name, kind]) => (
          <Argument
            key={`${option.name} ${name}`}
            name={name}
            kind={kind}
            role={role}
            typed={draft.typed[name] ?? firstOf(kind)}
            onTyped={(typed) => onChange({ typed: { ...draft.typed, [name]: typed } })}
          />
        ))}
    </>
  );
}

interface ArgumentProps {
  name: string;
  kind: Kind;
  role: string;
  typed: string;
  onTyped: (typed: string) => void;
}

function Argument({ name, kind, role, typed, onTyped }: ArgumentProps) {
  const fault = faultOf(kind, typed);
  return (
    <label class={kind.is === "text" ? "field wide" : "field"}>
      <span>
        <Text most={60}>{name}</Text>
        {kind.is === "amount" && ` (${figure(kind.low)} to ${figure(kind.high)})`}
        {kind.is === "text" && ` (up to ${figure(kind.longest)} characters)`}
      </span>
      <Given kind={kind} typed={typed} label={`${visible(name).slice(0, 60)} of ${role}`} isWrong={fault !== null} onTyped={onTyped} />
      {fault && <span class="under faulty">{fault}</span>}
    </label>
  );
}

interface GivenProps {
  kind: Kind;
  typed: string;
  label: string;
  isWrong: boolean;
  onTyped: (typed: string) => void;
}

function Given({ kind, typed, label, isWrong, onTyped }: GivenProps) {
  const told = { "aria-label": label, "aria-invalid": isWrong, value: typed };
  if (kind.is === "text") return <textarea {...told} rows={2} onInput={(event) => onTyped(event.currentTarget.value)} />;
  if (kind.is === "amount") return <input {...told} type="text" inputMode="decimal" onInput={(event) => onTyped(event.currentTarget.value)} />;
  return (
    <select {...told} onChange={(event) => onTyped(event.currentTarget.value)}>
      {kind.names.map((one) => (
        <option key={one} value={one}>
          {visible(one).slice(0, 60)}
        </option>
      ))}
    </select>
  );
}
