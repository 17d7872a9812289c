// What judgements come to, a table for each task: of one session, or of all people.
import { count, figure, seconds } from "../words";
import type { Share, Tally, Task } from "./judging";

type Figures = Pick<Share, "n" | "value" | "low" | "high">;
type Name = "agreed_before" | "agreed_after" | "changed" | "right";

interface TallyProps<S extends Figures> {
  task: Task;
  question: string;
  tally: Tally<S> | undefined;
  heading: "h2" | "h3";
  /** Why a share has no interval; null where it has one. */
  least: (share: S) => string | null;
}

const SHARES: { [task in Task]: [name: Name, title: string][] } = {
  decide: [
    ["agreed_before", "as it chose, before seeing it"],
    ["agreed_after", "as it chose, after"],
    ["changed", "changed after seeing it"],
  ],
  guess: [["right", "guessed right"]],
  rate: [
    ["agreed_before", "its option rated best, before seeing it"],
    ["agreed_after", "its option rated best, after"],
    ["changed", "ratings changed after seeing it"],
  ],
};

export function TallyTable<S extends Figures>({ task, question, tally, heading: Heading, least }: TallyProps<S>) {
  if (!tally) return null;
  const apart = [
    ...(tally.faulty ? [`${tally.faulty} in which nothing was chosen`] : []),
    ...(tally.declined ? [`${tally.declined} declined`] : []),
  ];
  return (
    <div class="tally">
      <Heading>{question}</Heading>
      <p class="muted">
        {count(tally.n, "moment")}, {seconds(tally.seconds)} on average until the answer before{apart.length > 0 && `; counted apart: ${apart.join(", ")}`}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Share</th>
            <th scope="col">of</th>
            <th scope="col">is</th>
            <th scope="col">95 % interval</th>
          </tr>
        </thead>
        <tbody>
          {SHARES[task].map(([name, title]) => {
            const share = tally[name];
            return share && <ShareRow key={name} title={title} share={share} least={share.n > 0 ? least(share) : null} />;
          })}
        </tbody>
      </table>
      {typeof tally.by_lot === "number" && <p>Who draws an option by lot would agree in {percent(tally.by_lot)}</p>}
      {typeof tally.surprise === "number" && <p>Surprise, on average: {figure(tally.surprise)} of 7</p>}
      {typeof tally.rating_before === "number" && (
        <p>
          Rating of what it chose: {figure(tally.rating_before)} before, {figure(tally.rating_after ?? 0)} after
        </p>
      )}
    </div>
  );
}

function ShareRow({ title, share, least }: { title: string; share: Figures; least: string | null }) {
  return (
    <tr>
      <th scope="row">{title}</th>
      <td>{share.n}</td>
      <td>{percent(share.value)}</td>
      <td>{share.low === null ? (least ?? "none") : `${percent(share.low)} to ${percent(share.high)}`}</td>
    </tr>
  );
}

function percent(share: number | null): string {
  return share === null ? "none" : `${Math.round(share * 100)} %`;
}
