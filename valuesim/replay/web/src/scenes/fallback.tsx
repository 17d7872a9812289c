// Any environment without a scene of its own: what was seen, as a table, and what everybody decided.
import { Text } from "../text";
import type { Json, Moment, SceneProps, Table } from "../types";
import { Name, NoDecision, Said } from "./parts";
import { decided, lookedAt } from "./reading";

const DEEPEST = 3;
const MOST = 60;

export function Plain({ episode, step, role }: SceneProps) {
  const here = episode.steps[step];
  const moment = lookedAt(here, role);
  if (!here || !moment) return <p class="scene scene-note">Nobody decided anything in this step.</p>;
  return (
    <section class="scene scene-plain" aria-label="What was seen">
      <h2>What <Name>{moment.role}</Name> saw</h2>
      {Object.keys(moment.view).length > 0 ? <Rows table={moment.view} depth={0} /> : <p><Said text={moment.text} /></p>}
      <NoDecision moment={moment} />
      <h2>Decided in this step</h2>
      <ul class="scene-decided">
        {here.moments.map((each) => (
          <Decided key={each.role} moment={each} />
        ))}
      </ul>
    </section>
  );
}

/** A step whose view is not as its family writes it: said, and shown as it is. */
export function Unread(props: SceneProps) {
  return (
    <>
      <p class="scene-note">
        This step does not hold what the scene of <Text>{props.episode.env}</Text> is drawn from; it is shown as it was logged.
      </p>
      <Plain {...props} />
    </>
  );
}

function Decided({ moment }: { moment: Moment }) {
  return (
    <li>
      <Name>{moment.role}</Name> <Text>{decided(moment)}</Text>
    </li>
  );
}

function Rows({ table, depth }: { table: Table; depth: number }) {
  const rows = Object.entries(table);
  return (
    <table class="scene-rows">
      <tbody>
        {rows.slice(0, MOST).map(([name, given]) => (
          <tr key={name}>
            <th scope="row"><Text most={80}>{name.replaceAll("_", " ")}</Text></th>
            <td><Value given={given} depth={depth + 1} /></td>
          </tr>
        ))}
        {rows.length > MOST && (
          <tr><td colSpan={2} class="scene-note">{rows.length - MOST} more</td></tr>
        )}
      </tbody>
    </table>
  );
}

function Value({ given, depth }: { given: Json; depth: number }) {
  if (given === null) return <span class="scene-note">none</span>;
  if (typeof given === "string") return <Said text={given} longest={1000} />;
  if (typeof given !== "object") return <>{String(given)}</>;
  if (Array.isArray(given)) return given.length === 0 ? <span class="scene-note">none</span> : <Listed given={given} depth={depth} />;
  if (Object.keys(given).length === 0) return <span class="scene-note">none</span>;
  if (Object.values(given).every(isPlain)) return <Said text={onOneLine(given)} longest={1000} />;
  return depth < DEEPEST ? <Rows table={given} depth={depth} /> : <Said text={JSON.stringify(given)} longest={1000} />;
}

function Listed({ given, depth }: { given: Json[]; depth: number }) {
  const areAll = given.every(isPlain);
  if (areAll || depth >= DEEPEST) return <Said text={areAll ? given.map(String).join(", ") : JSON.stringify(given)} longest={1000} />;
  return (
    <ol class="scene-listed">
      {given.slice(0, MOST).map((each, place) => (
        <li key={place}><Value given={each} depth={depth + 1} /></li>
      ))}
      {given.length > MOST && <li class="scene-note">{given.length - MOST} more</li>}
    </ol>
  );
}

function isPlain(given: Json): boolean {
  return given === null || typeof given !== "object";
}

/** A table of plain values, as "place GRID, power 8". */
function onOneLine(table: Table): string {
  const told = Object.entries(table).map(([name, given]) => `${name.replaceAll("_", " ")} ${given === null ? "none" : String(given)}`);
  return told.join(", ");
}
