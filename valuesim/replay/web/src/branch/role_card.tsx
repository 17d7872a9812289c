// One role: who plays it from here on, what is done to its model, and what it decides at the step that is left.
import { Text, visible } from "../text";
import type { Branching, RoleThere } from "./contract";
import { isModel, isReplaced, sayable, type RoleDraft, type Who } from "./draft";
import { Interventions } from "./interventions";
import { Move } from "./move";
import { nameOf } from "./said";

interface CardProps {
  there: Branching;
  each: RoleThere;
  draft: RoleDraft;
  isOpen: boolean;
  onChange: (next: Partial<RoleDraft>) => void;
}

export function RoleCard(props: CardProps) {
  const { each, draft, isOpen } = props;
  return (
    <details class="card role-card" open={isOpen}>
      <summary>
        <strong>
          <Text most={60}>{each.role}</Text>
        </strong>{" "}
        <span class="muted">
          <Text most={60}>{nameOf(each.player)}</Text>
          {!each.decides && ", not asked at this step"}
        </span>
        {(isReplaced(draft, each) || draft.decision !== "as") && <span class="badge">changed</span>}
      </summary>
      <Player {...props} />
      {isModel(each, draft) && <Interventions {...props} />}
      {each.decides && <Decision {...props} />}
    </details>
  );
}

/** Names of roles may be long, or hold anything: they stand in labels as they are shown, cut. */
function shortly(name: string): string {
  return visible(name.slice(0, 60));
}

function Player({ there, each, draft, onChange }: CardProps) {
  const label = `Who plays ${shortly(each.role)}`;
  return (
    <div class="row">
      <label class="field">
        <span>Played from here on by</span>
        <select aria-label={label} value={draft.who} onChange={(event) => onChange({ who: event.currentTarget.value as Who })}>
          <option value="keep">{visible(nameOf(each.player)).slice(0, 60)}, as it was</option>
          {there.agents.length > 0 && <option value="agent">another agent…</option>}
          <option value="model">a model…</option>
          <option value="person">a person, on this page</option>
        </select>
      </label>
      {draft.who === "agent" && <Agent there={there} draft={draft} role={shortly(each.role)} onChange={onChange} />}
      {draft.who === "model" && (
        <label class="field">
          <span>Model</span>
          <input
            type="text"
            aria-label={`Model that plays ${shortly(each.role)}`}
            value={draft.model}
            placeholder="its name, as its server knows it"
            onInput={(event) => onChange({ model: event.currentTarget.value })}
          />
        </label>
      )}
    </div>
  );
}

function Agent({ there, draft, role, onChange }: Pick<CardProps, "there" | "draft" | "onChange"> & { role: string }) {
  const variants = Object.hasOwn(there.variants, draft.agent) ? there.variants[draft.agent] : "";
  return (
    <>
      <label class="field">
        <span>Agent</span>
        <select aria-label={`Agent that plays ${role}`} value={draft.agent} onChange={(event) => onChange({ agent: event.currentTarget.value, variant: "" })}>
          {there.agents.map((name) => (
            <option key={name} value={name}>
              {visible(name).slice(0, 60)}
            </option>
          ))}
        </select>
      </label>
      {variants && (
        <label class="field">
          <span>Variant</span>
          <input type="text" aria-label={`Variant of ${draft.agent} for ${role}`} value={draft.variant} onInput={(event) => onChange({ variant: event.currentTarget.value })} />
          <span class="under">
            <Text most={300}>{variants}</Text>
          </span>
        </label>
      )}
    </>
  );
}

function Decision(props: CardProps) {
  const { there, each, draft, onChange } = props;
  const before = each.chosen === null ? "no decision, a fault" : visible(each.chosen).slice(0, 60);
  return (
    <div class="row decision">
      <label class="field">
        <span>Decision at step {there.step}</span>
        <select
          aria-label={`What ${shortly(each.role)} decides`}
          value={draft.decision}
          onChange={(event) => onChange({ decision: event.currentTarget.value as RoleDraft["decision"] })}
        >
          <option value="as">{isReplaced(draft, each) ? "whoever plays it now is asked" : `not given (it was: ${before})`}</option>
          {each.options.length > 0 && <option value="move">give another decision…</option>}
          {sayable(each) !== null && <option value="message">say another message…</option>}
        </select>
      </label>
      {draft.decision === "move" && <Move {...props} role={shortly(each.role)} />}
      {draft.decision === "message" && (
        <label class="field wide">
          <span>What it says instead, all else of its decision being as it was</span>
          <textarea rows={3} aria-label={`Message of ${shortly(each.role)}`} value={draft.message} onInput={(event) => onChange({ message: event.currentTarget.value })} />
        </label>
      )}
    </div>
  );
}
