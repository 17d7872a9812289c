// What a branch will be, in words, and what starts it.
import { Text } from "../text";
import type { Episode } from "../types";
import { figure } from "../words";
import type { Branching } from "./contract";
import { PERSON, askingOf, changesOf, worldName, type Draft, type Trouble } from "./draft";
import { tableOf } from "../scenes/reading";
import { changesInWords } from "./said";
import { amountsAt } from "./world";

interface SummaryProps {
  episode: Episode;
  there: Branching;
  index: number;
  draft: Draft;
  missing: Trouble[];
  isBusy: boolean;
  refused: string | null;
  onStart: () => void;
}

export function Summary(props: SummaryProps) {
  const { there, missing, isBusy, refused, onStart } = props;
  return (
    <section class="card branch-summary" aria-labelledby="branch-summary">
      <h2 id="branch-summary">From step {there.step}</h2>
      {missing.length === 0 && <Told {...props} />}
      {missing.length > 0 && (
        <div id="missing" role="status">
          <ul class="missing">
            {missing.map(({ at, what }) => (
              <li key={`${at} ${what}`}>
                <Text most={60}>{at}</Text>: <Text most={300}>{what}</Text>
              </li>
            ))}
          </ul>
        </div>
      )}
      {refused !== null && (
        <p class="faulty" role="alert">
          <Text most={1000}>{refused}</Text>
        </p>
      )}
      {/* never by the key that ends a line: models may be asked, and paid */}
      <button type="button" class="start" disabled={isBusy || missing.length > 0} aria-describedby={missing.length > 0 ? "missing" : undefined} onClick={onStart}>
        Play it on
      </button>
    </section>
  );
}

function Told({ episode, there, index, draft }: SummaryProps) {
  const changes = changesOf(there, draft);
  const { world, ...rest } = changes;
  const before = amountsAt(episode, index);
  const set = Object.entries(world ?? {}).map(([name, amount]) => {
    const was = before.get(name);
    return `${worldName(name)} is ${figure(amount)}${was === undefined ? "" : ` instead of ${figure(was)}`}`;
  });
  const told = [...changesInWords(rest as never), ...set];
  const isOfPerson = there.roles.some((each) => (changes.players?.[each.role]?.agent ?? each.player.agent) === PERSON);
  const { anew, stay, given } = askingOf(there, changes, givenBefore(episode, there.step));
  return (
    <>
      {told.length > 0 ? (
        <ul>
          {told.map((each) => (
            <li key={each}>
              <Text most={400}>{each}</Text>
            </li>
          ))}
        </ul>
      ) : (
        <p>Nothing is changed: it is played once more from here.</p>
      )}
      {isOfPerson && <p>A person will be asked, on the page that opens.</p>}
      <Roles names={anew} says={["is asked anew at this step", "are asked anew at this step"]} />
      <Roles names={given} says={["does what is given here", "do what is given here"]} />
      <Roles names={stay} says={["keeps its decision of this step", "keep their decisions of this step"]} />
    </>
  );
}

/** Return the roles whose decision at `step` was given where the episode itself leaves another one. */
function givenBefore({ parent }: Episode, step: number): string[] {
  if (parent === null || parent.step !== step) return [];
  const changes = tableOf(parent.changes);
  return [...Object.keys(tableOf(changes["moves"])), ...Object.keys(tableOf(changes["messages"]))];
}

const MOST_NAMED = 8;

function Roles({ names, says: [one, many] }: { names: string[]; says: [string, string] }) {
  if (names.length === 0) return null;
  const rest = names.length - MOST_NAMED;
  return (
    <p class="muted small-text">
      {names.slice(0, MOST_NAMED).map((name, place) => (
        <span key={name}>
          {place > 0 && ", "}
          <Text most={40}>{name}</Text>
        </span>
      ))}
      {rest > 0 && ` and ${rest} more`} {names.length === 1 ? one : many}.
    </p>
  );
}
