// What is changed where an episode is left: a card per role, the world, the seed, and what all of it comes to.
import { useEffect, useState } from "preact/hooks";
import { Refused, useAnswer } from "../api";
import { branchLink, go, playLink } from "../route";
import { Text } from "../text";
import type { Episode } from "../types";
import { branching, leave, type Branching } from "./contract";
import { changesOf, draftOf, moved, troubles, withSaid, type Draft, type RoleDraft } from "./draft";
import { RoleCard } from "./role_card";
import { Summary } from "./summary";
import { World } from "./world";

interface FormProps {
  episode: Episode;
  step: number;
  /** The place of `step` in `episode.steps`. */
  index: number;
  role: string;
}

export function BranchForm({ episode, step, index, role }: FormProps) {
  const { answer, error, isWaiting } = useAnswer(String(step), (signal) => {
    const moments = episode.steps.find((each) => each.step === step)?.moments ?? [];
    return branching(episode.run, episode.episode, step, signal).then((there) => withSaid(there, moments));
  });
  if (error && !isWaiting) {
    return (
      <div class="note" role="alert">
        <Text most={1000}>{error.message}</Text>
      </div>
    );
  }
  if (!answer) {
    return (
      <p class="note" role="status">
        Working out what can be changed here…
      </p>
    );
  }
  if (answer.refused !== null) return <NotHere there={answer} sentence={answer.refused} />;
  return <Changing episode={episode} there={answer} index={index} role={role} isWaiting={isWaiting} />;
}

function NotHere({ there, sentence }: { there: Branching; sentence: string }) {
  const other = there.leave;
  return (
    <div class="note refused" role="alert">
      <h2>It cannot be left at step {there.step}</h2>
      <p>
        <Text most={1000}>{sentence}</Text>
      </p>
      {other && (
        <p>
          <a href={branchLink(other.run, other.episode, other.step)}>Leave the episode that it comes from, at step {other.step}</a>
        </p>
      )}
    </div>
  );
}

interface ChangingProps {
  episode: Episode;
  there: Branching;
  index: number;
  role: string;
  isWaiting: boolean;
}

function Changing({ episode, there, index, role, isWaiting }: ChangingProps) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(there));
  const [sending, setSending] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  // another step: who plays stays as it was chosen
  useEffect(() => setDraft((before) => moved(before, there)), [there]);
  // what was refused was another draft
  useEffect(() => setRefused(null), [draft]);
  const change = (name: string, next: Partial<RoleDraft>) =>
    setDraft((before) => {
      const own = before.roles[name];
      return own ? { ...before, roles: { ...before.roles, [name]: { ...own, ...next } } } : before;
    });
  const missing = troubles(there, draft);
  const start = async () => {
    if (missing.length > 0 || sending) return;
    setSending(true);
    setRefused(null);
    try {
      go(playLink((await leave(episode.run, episode.episode, there.step, changesOf(there, draft))).id));
    } catch (error) {
      setRefused(error instanceof Refused ? error.message : String(error));
      setSending(false);
    }
  };
  return (
    <form class="changing" onSubmit={(event) => event.preventDefault()} aria-busy={isWaiting} autocomplete="off">
      <Models there={there} />
      {there.roles.map((each) => {
        const own = draft.roles[each.role];
        return own && <RoleCard key={each.role} there={there} each={each} draft={own} isOpen={each.role === role} onChange={(next) => change(each.role, next)} />;
      })}
      <World episode={episode} there={there} index={index} typed={draft.world} onTyped={(world) => setDraft({ ...draft, world })} />
      <Seed there={there} typed={draft.seed} onTyped={(seed) => setDraft({ ...draft, seed })} />
      <Summary episode={episode} there={there} index={index} draft={draft} missing={missing} isBusy={sending || isWaiting} refused={refused} onStart={start} />
    </form>
  );
}

/** Why no model can be asked, and what connects one. */
function Models({ there: { models } }: { there: Branching }) {
  if (models.connected) return null;
  return (
    <p class="note models">
      <strong>No model is connected.</strong> {models.why && <Text most={1000}>{models.why}</Text>}
    </p>
  );
}

function Seed({ there, typed, onTyped }: { there: Branching; typed: string; onTyped: (typed: string) => void }) {
  return (
    <fieldset class="card">
      <legend>Chance</legend>
      <label class="field inline">
        <span>Seed from here on</span>
        <input type="text" inputMode="numeric" value={typed} placeholder={`as it was: ${there.seed}`} onInput={(event) => onTyped(event.currentTarget.value.trim())} />
      </label>
      <p class="muted small-text">With another seed, world and agents draw other lots from here on.</p>
    </fieldset>
  );
}
