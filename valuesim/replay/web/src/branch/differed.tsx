// What differed between two episodes: the changes, the first difference, every differing decision, and what came of it.
import { useMemo, useState } from "preact/hooks";
import { Text } from "../text";
import type { Episode, Json } from "../types";
import { count, figure, said } from "../words";
import { compared, counted, decidedInWords, differing, firstDifference, firsts, payoffs, type Aligned, type Compared, type Differing, type Relation } from "./differences";
import { changesInWords, givenIn, type Turned } from "./said";

const MOST_LISTED = 50;
const MOST_WHOLE = 1000;

interface DifferedProps {
  a: Episode;
  b: Episode;
  steps: Aligned[];
  related: Relation;
  /** The step that is shown. */
  at: number;
  onStep: (step: number) => void;
}

export function Differed({ a, b, steps, related, at, onStep }: DifferedProps) {
  const others = useMemo(() => differing(steps), [steps]);
  const first = useMemo(() => firstDifference(steps), [steps]);
  return (
    <section class="differed" aria-labelledby="differed">
      <h2 id="differed">What differed</h2>
      <Changes related={related} />
      <p>
        {first === null ? (
          "Nothing differs: the two were played alike, step for step."
        ) : (
          <>
            The first difference is at{" "}
            <button type="button" class="small" onClick={() => onStep(first)}>
              step {first}
            </button>
            {others[0] ? `; the first decision that differs is at step ${others[0].step}.` : "; no decision differs."}
          </>
        )}
      </p>
      <Others others={others} at={at} onStep={onStep} />
      <Ends a={a} b={b} givenA={givenIn([...related.before, ...related.a])} givenB={givenIn([...related.before, ...related.b])} />
    </section>
  );
}

function Changes({ related }: { related: Relation }) {
  return (
    <>
      {(["a", "b"] as const).map((side) =>
        related[side].map((turn) => (
          <p key={`${side} ${turn.step}`}>
            <span class="letter">{side.toUpperCase()}</span> was changed at step {turn.step}: <Told turn={turn} />
          </p>
        )),
      )}
    </>
  );
}

function Told({ turn }: { turn: Turned }) {
  const told = changesInWords(turn.changes);
  return <>{told.length === 0 ? "nothing; it was played once more." : <Text most={600}>{`${told.join("; ")}.`}</Text>}</>;
}

function Others({ others, at, onStep }: { others: Differing[]; at: number; onStep: (step: number) => void }) {
  const [whole, setWhole] = useState(false);
  if (others.length === 0) return null;
  const shown = whole ? others : others.slice(0, MOST_LISTED);
  return (
    <details class="section" open>
      <summary>
        Differing decisions <span class="muted">{figure(others.length)}</span>
      </summary>
      <div class="scrolls" tabIndex={0} role="group" aria-label="Differing decisions">
        <table class="compared">
          <thead>
            <tr>
              <th scope="col">Step</th>
              <th scope="col">Role</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((each) => (
              <tr key={`${each.step} ${each.role}`} class={each.step === at ? "is-shown" : ""}>
                <td>
                  <button type="button" class="small" onClick={() => onStep(each.step)}>
                    <span class="unseen">Show step </span>
                    {each.step}
                  </button>
                </td>
                <th scope="row">
                  <Text most={60}>{each.role}</Text>
                </th>
                <Chose moment={each.a} />
                <Chose moment={each.b} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < others.length && (
        <button type="button" class="small" onClick={() => setWhole(true)}>
          Show all {figure(others.length)}
        </button>
      )}
    </details>
  );
}

function Chose({ moment }: { moment: Differing["a"] }) {
  if (moment === null) return <td class="muted">not asked</td>;
  return (
    <td class={moment.fault === null ? "" : "faulty"}>
      <Text most={200}>{decidedInWords(moment)}</Text>
    </td>
  );
}

/** What each came to in the end. */
function Ends({ a, b, givenA, givenB }: { a: Episode; b: Episode; givenA: Set<string>; givenB: Set<string> }) {
  const [ofA, ofB] = [counted(a, givenA), counted(b, givenB)];
  const given = givenA.size + givenB.size;
  const [endA, endB] = [payoffs(a), payoffs(b)];
  const parts: [title: string, rows: Compared[], note: string][] = [
    ["Outcome", compared(endA.rest, endB.rest), ""],
    ["Payoffs", compared(endA.paid, endB.paid), ""],
    ["Faults", compared(a.faults, b.faults, 0), `of ${count(ofA.decisions, "decision")} in A, ${figure(ofB.decisions)} in B`],
    ["Values put first", compared(firsts(a, givenA), firsts(b, givenB), 0), `one decision one vote; ${figure(ofA.putting)} of ${count(ofA.decisions, "decision")} in A put a value first, ${figure(ofB.putting)} of ${figure(ofB.decisions)} in B`],
    ["Measures", compared(a.measures, b.measures), ""],
  ];
  return (
    <>
      <p class="muted small-text">
        These are two episodes: {count(ofA.decisions, "decision")} with {count(ofA.faults, "fault")}, and {figure(ofB.decisions)} with {count(ofB.faults, "fault")}. What differs between them may be chance;
        how much it is takes more episodes of each. {given > 0 && "Decisions that were given are nobody's choice, and not counted here."}
      </p>
      <div class="ends">
        {parts
          .filter(([, rows]) => rows.length > 0)
          .map(([title, rows, note]) => (
            <End key={title} title={title} rows={rows} note={note} />
          ))}
      </div>
    </>
  );
}

function End({ title, rows, note }: { title: string; rows: Compared[]; note: string }) {
  const [whole, setWhole] = useState(false);
  const others = rows.filter((row) => row.differs);
  const shown = whole ? rows.slice(0, MOST_WHOLE) : others.slice(0, MOST_LISTED);
  return (
    <section>
      <h3>{title}</h3>
      {note && <p class="muted small-text">{note}</p>}
      {shown.length > 0 && (
        <table class="compared">
          <thead>
            <tr>
              <th scope="col">
                <span class="unseen">{title}</span>
              </th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.name} class={row.differs ? "differs" : ""}>
                <th scope="row">
                  <Text most={120}>{row.name}</Text>
                </th>
                <td>
                  <Amount of={row.a} />
                </td>
                <td>
                  <Amount of={row.b} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {others.length === 0 && !whole && <p>Alike.</p>}
      {!whole && others.length > shown.length && <p class="muted small-text">{figure(others.length - shown.length)} more differ.</p>}
      {whole && rows.length > shown.length && <p class="muted small-text">{figure(rows.length - shown.length)} more are not listed.</p>}
      {rows.length > (whole ? others.length : shown.length) && (
        <button type="button" class="small quiet" onClick={() => setWhole(!whole)} aria-expanded={whole}>
          {whole ? "Only what differs" : `Show all ${figure(rows.length)}, also those alike`}
          <span class="unseen"> of {title}</span>
        </button>
      )}
    </section>
  );
}

function Amount({ of }: { of: Json | undefined }) {
  if (of === undefined) return <span class="muted">–</span>;
  return <Text most={200}>{said(of)}</Text>;
}
