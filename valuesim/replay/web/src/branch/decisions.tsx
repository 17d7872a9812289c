// What everybody decided at one step, in either episode: two columns, what differs marked.
import { episodeLink } from "../route";
import { Text } from "../text";
import type { Episode, Moment } from "../types";
import { decidedAlike, decidedInWords, momentAt, rolesAt, seenAlike, type Aligned, type Relation } from "./differences";
import { originOf, type Turned } from "./said";

export function Decisions({ now, a, b, related }: { now: Aligned; a: Episode; b: Episode; related: Relation }) {
  const roles = rolesAt(now);
  return (
    <section class="compare-decisions" aria-labelledby="compare-decisions">
      <h2 id="compare-decisions">Decided at step {now.step}</h2>
      <div class="scrolls" tabIndex={0} role="group" aria-labelledby="compare-decisions">
        <table class="compared">
          <thead>
            <tr>
              <th scope="col">Role</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {roles.map((role) => (
              <Pair key={role} role={role} step={now.step} a={[a, momentAt(now.a, role), [...related.before, ...related.a]]} b={[b, momentAt(now.b, role), [...related.before, ...related.b]]} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

type Own = [episode: Episode, moment: Moment | null, turns: Turned[]];

function Pair({ role, step, a, b }: { role: string; step: number; a: Own; b: Own }) {
  const [one, other] = [a[1], b[1]];
  const isOther = one === null || other === null || !decidedAlike(one, other);
  const sawOther = one !== null && other !== null && !seenAlike(one, other);
  return (
    <tr class={isOther ? "differs" : ""}>
      <th scope="row">
        <Text most={60}>{role}</Text>
        <span class="under">
          {isOther ? "decided otherwise" : "decided alike"}
          {sawOther && ", saw other things"}
        </span>
      </th>
      <Cell letter="A" role={role} step={step} own={a} />
      <Cell letter="B" role={role} step={step} own={b} />
    </tr>
  );
}

function Cell({ letter, role, step, own: [episode, moment, turns] }: { letter: string; role: string; step: number; own: Own }) {
  if (moment === null) return <td class="muted">not asked</td>;
  return (
    <td>
      <a class={moment.fault === null ? "" : "faulty"} href={episodeLink(episode.run, episode.episode, step, role)}>
        <span class="unseen">{letter}: </span>
        <Text most={200}>{decidedInWords(moment)}</Text>
      </a>
      {moment.message && !Object.values(moment.arguments ?? {}).includes(moment.message) && (
        <span class="under">
          says “<Text most={200}>{moment.message}</Text>”
        </span>
      )}
      {moment.inherited && <span class="under">{originOf(turns, step, role)}</span>}
    </td>
  );
}
