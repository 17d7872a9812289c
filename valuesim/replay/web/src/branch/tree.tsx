// The branches that leave an episode, as a tree; nothing where there are none.
import { useState } from "preact/hooks";
import { useAnswer } from "../api";
import { Guard } from "../guard";
import { compareLink, episodeLink } from "../route";
import { Picture } from "../share/picture";
import { Text } from "../text";
import type { Episode } from "../types";
import { count } from "../words";
import { family, type Node } from "./contract";
import { Drawing } from "./drawing";
import { linesOf, type Line } from "./layout";
import { changesOnOneLine } from "./said";

const MOST_LISTED = 60;

export function Branches({ episode }: { episode: Episode }) {
  const { answer } = useAnswer(`${episode.run}/${episode.episode}`, (signal) => family(episode.run, episode.episode, signal));
  if (!answer || (answer.root.branches.length === 0 && answer.root.step === null)) return null;
  return (
    <Guard at={`${episode.run}/${episode.episode}`} failed="The branches could not be shown">
      <Tree root={answer.root} leftOut={answer.left_out} name={`${episode.env}-${episode.episode}-branches`} />
    </Guard>
  );
}

function Tree({ root, leftOut, name }: { root: Node; leftOut: number; name: string }) {
  const lines = linesOf(root);
  return (
    <section class="tree" aria-labelledby="branches">
      <h2 id="branches">Branches</h2>
      {lines.length > 1 && (
        <Picture name={name} label={`${count(lines.length - 1, "branch", "branches")} as a tree, time to the right`} caption={[`Branches of episode ${root.episode} of run ${root.run_name}, steps to the right.`]}>
          <Drawing lines={lines} />
        </Picture>
      )}
      <Listed lines={lines} />
      {leftOut > 0 && <p class="muted">{count(leftOut, "more branch", "more branches")} not shown.</p>}
    </section>
  );
}

function keyOf(node: Node): string {
  return `${node.run}/${node.episode}`;
}

/** The first two to compare: the one looked at, and the one that it leaves or that leaves it. */
function firstPair(lines: Line[]): string[] {
  const here = lines.find((line) => line.node.is_here);
  const other = here && (here.above === null ? lines.find((line) => line.above === here.row) : lines[here.above]);
  const pair = [other, here].filter((line) => line?.node.state === "finished");
  return pair.length === 2 ? pair.sort((a, b) => (a?.row ?? 0) - (b?.row ?? 0)).map((line) => (line ? keyOf(line.node) : "")) : [];
}

function Listed({ lines }: { lines: Line[] }) {
  const [whole, setWhole] = useState(false);
  const [chosen, setChosen] = useState(() => firstPair(lines));
  const shown = whole ? lines : lines.slice(0, MOST_LISTED);
  const pick = (key: string) => setChosen(chosen.includes(key) ? chosen.filter((each) => each !== key) : [...chosen, key].slice(-2));
  return (
    <>
      <ol class="tree-list">
        {shown.map((line) => (
          <Entry key={keyOf(line.node)} line={line} above={line.above === null ? null : (lines[line.above] ?? null)} isChosen={chosen.includes(keyOf(line.node))} onPick={pick} />
        ))}
      </ol>
      {!whole && lines.length > MOST_LISTED && (
        <button type="button" class="small" onClick={() => setWhole(true)}>
          Show all {lines.length}
        </button>
      )}
      {lines.length > 1 && <Compare lines={lines} chosen={chosen} />}
    </>
  );
}

function Compare({ lines, chosen }: { lines: Line[]; chosen: string[] }) {
  const [a, b] = lines.filter((line) => chosen.includes(keyOf(line.node))).map((line) => line.node);
  if (!a || !b) return <p class="muted">Choose two to see them side by side.</p>;
  return (
    <p>
      <a class="button" href={compareLink(a.run, a.episode, b.run, b.episode, b.step ?? a.step)}>
        Compare the two that are chosen
      </a>
    </p>
  );
}

interface EntryProps {
  line: Line;
  above: Line | null;
  isChosen: boolean;
  onPick: (key: string) => void;
}

const STATES = { finished: "", interrupted: "interrupted", unfinished: "not finished" };

function Entry({ line: { node, row, depth }, above, isChosen, onPick }: EntryProps) {
  const title = node.step === null ? "the episode as it was first played" : changesOnOneLine(node.changes);
  const isFinished = node.state === "finished";
  return (
    <li class={node.is_here ? "is-here" : ""} style={{ paddingLeft: `${Math.min(depth, 6) * 1.1}rem` }}>
      <input type="checkbox" checked={isChosen} disabled={!isFinished} aria-label={`Compare number ${row + 1}`} onChange={() => onPick(keyOf(node))} />
      <span class="tree-number">{row + 1}</span>
      <span>
        {isFinished && !node.is_here ? (
          <a href={episodeLink(node.run, node.episode, node.step)}>
            <Text most={300}>{title}</Text>
          </a>
        ) : (
          <strong>
            <Text most={300}>{title}</Text>
          </strong>
        )}
        <span class="under">
          {node.step !== null && `leaves ${above ? `number ${above.row + 1}` : "an episode that is not here"} at step ${node.step}`}
          {node.step === null && <Text most={80}>{node.run_name}</Text>}
          {node.steps !== null && ` · ${count(node.steps, "step")}`}
          {node.faults !== null && node.faults > 0 && ` · ${count(node.faults, "fault")}`}
          {node.first !== null && (
            <>
              {" · puts "}
              <Text most={60}>{node.first}</Text> first most often
            </>
          )}
          {node.is_here && " · shown above"}
          {!isFinished && ` · ${STATES[node.state]}`}
          {node.reason && (
            <>
              {": "}
              <Text most={200}>{node.reason}</Text>
            </>
          )}
        </span>
      </span>
    </li>
  );
}
