// A game: the table with the cell played, or the amounts of this round, and the rounds so far.
import { useEffect, useMemo, useRef } from "preact/hooks";

import { Text, visible } from "../text";
import type { SceneProps } from "../types";
import { Unread } from "./fallback";
import { type Amount, type GameScene, type Matrix, type Round, gameScene } from "./games_model";
import { Bubble, Name, Token, useWidth } from "./parts";
import { brief, numeral } from "./reading";

const MOST_ROUNDS = 12;

export function Game({ episode, step, role }: SceneProps) {
  const scene = useMemo(() => gameScene(episode, step, role), [episode, step, role]);
  if (!scene) return <Unread episode={episode} step={step} role={role} />;
  return (
    <section class="scene scene-game" aria-label="The game">
      <Heading scene={scene} />
      <div class="scene-game-now">
        {scene.matrix && <Table matrix={scene.matrix} />}
        {scene.amounts.length > 0 && <Amounts scene={scene} />}
        <Made scene={scene} />
      </div>
      <Talk scene={scene} />
      {scene.played.length > 1 && <Strip scene={scene} />}
      {!scene.isList && (scene.rounds ?? 2) > 1 && <Scores scene={scene} />}
    </section>
  );
}

const PHASES = new Map([["talk", "talk"], ["act", "move"], ["respond", "answer"], ["punish", "punishment"]]);

function Heading({ scene }: { scene: GameScene }) {
  const unit = scene.isList ? "Decision" : "Round";
  return (
    <div class="scene-heading">
      <strong>
        {unit} {scene.round}{scene.rounds === null ? "" : ` of ${scene.rounds}`}, <Text>{PHASES.get(scene.phase) ?? scene.phase}</Text>
      </strong>
      {scene.facts.map(([name, given]) => (
        <span key={name}><Text>{name}</Text> <Text most={60}>{given}</Text></span>
      ))}
    </div>
  );
}

function Table({ matrix }: { matrix: Matrix }) {
  return (
    <table class="scene-matrix">
      <caption>
        <Text>{brief(matrix.row.name)}</Text> chooses the row, <Text>{brief(matrix.column.name)}</Text> the column; each cell holds what
        the two earn, in this order.
      </caption>
      <thead>
        <tr>
          <td aria-hidden="true" />
          {matrix.columnNames.map((name, place) => (
            <th key={place} scope="col" class={matrix.cell?.[1] === place ? "is-played" : ""}><Text most={60}>{name}</Text></th>
          ))}
        </tr>
      </thead>
      <tbody>
        {matrix.rowNames.map((name, i) => (
          <tr key={i}>
            <th scope="row" class={matrix.cell?.[0] === i ? "is-played" : ""}><Text most={60}>{name}</Text></th>
            {matrix.columnNames.map((_, j) => (
              <Cell key={j} matrix={matrix} i={i} j={j} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell({ matrix, i, j }: { matrix: Matrix; i: number; j: number }) {
  const isPlayed = matrix.cell?.[0] === i && matrix.cell[1] === j;
  return (
    <td class={isPlayed ? "is-played" : ""}>
      <span>{numeral(matrix.own[i]?.[j] ?? 0)}</span>, <span>{numeral(matrix.partner[i]?.[j] ?? 0)}</span>
      {isPlayed && <span class="scene-mark">played</span>}
    </td>
  );
}

function Amounts({ scene }: { scene: GameScene }) {
  const total = scene.amounts.reduce((sum, each) => sum + (each.amount ?? 0), 0);
  return (
    <figure class="scene-amounts">
      <ul>
        {scene.amounts.map((each, place) => (
          <AmountBar key={place} each={each} />
        ))}
      </ul>
      {scene.game === "public_goods" && <figcaption>Together {numeral(total)} in the pot.</figcaption>}
    </figure>
  );
}

function AmountBar({ each }: { each: Amount }) {
  const { actor, amount, least, most } = each;
  const share = amount === null || most === least ? 0 : Math.min(1, Math.max(0, (amount - least) / (most - least)));
  return (
    <li>
      <Token actor={actor} />
      <span class="scene-who"><Name>{actor.name}</Name></span>
      <svg class="scene-bar" height={14} aria-hidden="true">
        <rect width="100%" height={14} rx={3} class="scene-bar-case" />
        <rect width={`${100 * share}%`} height={14} rx={3} class={`scene-fill-${actor.colour}`} />
      </svg>
      <span class="scene-number">{amount === null ? "no decision" : `${each.verb} ${numeral(amount)}`}</span>
      <span class="scene-scale">{numeral(least)} to {numeral(most)}</span>
    </li>
  );
}

/** Who did what in this round, phase by phase, and what it earned. */
function Made({ scene }: { scene: GameScene }) {
  return (
    <ul class="scene-made">
      {scene.players.map((player, place) => {
        const own = scene.now.made.filter((each) => each.player === player.name);
        // amounts have a bar already
        const made = own.filter((each) => each.fault !== null || !scene.amounts.some((bar) => bar.actor === player && bar.phase === each.phase));
        return (
          <li key={player.name}>
            <Token actor={player} />
            <span class="scene-who"><Name>{player.name}</Name></span>
            <span class="scene-moves">
              {own.length === 0 ? "has not moved in this round" : null}
              {made.map((each, index) => (
                <span key={index} class={each.fault === null ? "scene-move" : "scene-move is-fault"}>
                  <Text most={60}>{each.fault === null ? each.shown : `${each.shown} (${each.fault})`}</Text>
                  {each.intended !== null && <> (by chance, not <Text most={60}>{each.intended}</Text>)</>}
                </span>
              ))}
            </span>
            <span class="scene-number">{own.length > 0 || scene.now.earned[place] ? `earns ${numeral(scene.now.earned[place] ?? 0)}` : ""}</span>
          </li>
        );
      })}
    </ul>
  );
}

function Talk({ scene }: { scene: GameScene }) {
  if (scene.said.length === 0) return null;
  return (
    <section class="scene-talk">
      <h2>Said in this step</h2>
      <ul class="scene-bubbles">
        {scene.said.map((each) => (
          <Bubble
            key={each.sender}
            sender={each.sender}
            actor={scene.players.find((player) => player.name === each.sender)}
            text={each.text}
          >
            {each.promise !== null && <span class="scene-promise"><Text>{each.promise}</Text></span>}
          </Bubble>
        ))}
      </ul>
    </section>
  );
}

/** The rounds so far, the newest last; of very many the newest alone. */
function Strip({ scene }: { scene: GameScene }) {
  const shown = scene.played.slice(-MOST_ROUNDS);
  const left = scene.played.length - shown.length;
  const box = useRef<HTMLDivElement>(null);
  // where not all fit, the newest are in sight
  useEffect(() => box.current?.scrollTo({ left: box.current.scrollWidth }), [scene]);
  return (
    <section class="scene-strip-of">
      <h2>{scene.isList ? "Decisions so far" : "Rounds so far"}{left > 0 ? ` (the last ${MOST_ROUNDS})` : ""}</h2>
      <div ref={box} class="scene-strip" tabIndex={0} role="region" aria-label="Rounds so far">
        <table>
          <thead>
            <tr>
              <td aria-hidden="true" />
              {shown.map((round) => (
                <th key={round.number} scope="col" class={round.number === scene.round ? "is-now" : ""}>{round.number}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {scene.players.map((player, place) => (
              <tr key={player.name}>
                <th scope="row"><Token actor={player} /><span class="scene-hidden"><Text>{player.name}</Text></span></th>
                {shown.map((round) => (
                  <StripCell key={round.number} round={round} player={player.name} place={place} isNow={round.number === scene.round} />
                ))}
              </tr>
            ))}
            {scene.isList && <StakeRow rounds={shown} />}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function StripCell({ round, player, place, isNow }: { round: Round; player: string; place: number; isNow: boolean }) {
  const made = round.made.filter((each) => each.player === player);
  return (
    <td class={isNow ? "is-now" : ""} title={visible(made.map((each) => each.shown).join(", "))}>
      {made.map((each, index) => (
        <span key={index} class="scene-strip-move"><Text most={40}>{each.short}</Text></span>
      ))}
      <span class="scene-strip-earned">{round.made.length === 0 ? "" : numeral(round.earned[place] ?? 0)}</span>
    </td>
  );
}

function StakeRow({ rounds }: { rounds: Round[] }) {
  return (
    <tr>
      <th scope="row">stake</th>
      {rounds.map((round) => (
        <td key={round.number}>{round.stake === null ? "" : numeral(round.stake)}</td>
      ))}
    </tr>
  );
}

const CHART = { height: 150, left: 44, right: 30, top: 10, bottom: 24 };

/** What each player has earned in all, round by round. */
function Scores({ scene }: { scene: GameScene }) {
  const { place, width } = useWidth(480);
  const every = scene.totals.flat();
  const low = Math.min(0, ...every);
  const high = Math.max(low + 1, ...every);
  const last = Math.max(1, scene.totals.length - 1, scene.rounds ?? 1);
  const x = (round: number) => CHART.left + ((width - CHART.left - CHART.right) * round) / last;
  const y = (total: number) => CHART.height - CHART.bottom - ((CHART.height - CHART.top - CHART.bottom) * (total - low)) / (high - low);
  const totals = scene.players.map((player, index) => `${brief(player.name)} ${numeral(scene.totals.at(-1)?.[index] ?? 0)}`);
  return (
    <figure class="scene-scores">
      <figcaption>Earned in all: <Text>{totals.join(", ")}</Text></figcaption>
      <div ref={place} class="scene-frame">
        <svg width={width} height={CHART.height} role="img" aria-label={visible(`Earned in all, by round. Now: ${totals.join(", ")}.`)}>
          {[low, high].map((mark) => (
            <g key={mark}>
              <line x1={CHART.left} x2={width - CHART.right} y1={y(mark)} y2={y(mark)} class="scene-axis" />
              <text x={CHART.left - 6} y={y(mark) + 4} text-anchor="end">{numeral(mark)}</text>
            </g>
          ))}
          <text x={CHART.left} y={CHART.height - 6}>0</text>
          <text x={width - CHART.right} y={CHART.height - 6} text-anchor="end">round {last}</text>
          {scene.players.map((player, index) => (
            <polyline
              key={player.name}
              class={`scene-stroke-${player.colour}`}
              points={scene.totals.map((each, round) => `${x(round)},${y(each[index] ?? 0)}`).join(" ")}
              stroke-dasharray={DASHES[index % DASHES.length]}
            />
          ))}
          {endsOf(scene, y).map(({ mark, at }) => (
            <text key={mark} class="scene-end" x={x(scene.totals.length - 1) + 6} y={at + 4}>{visible(mark)}</text>
          ))}
        </svg>
      </div>
    </figure>
  );
}

const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2", "1 2", "12 3", "6 2 1 2", "3 6"];
const APART = 13;

/** Where each player's letter stands at the end of its line, none upon another. */
function endsOf(scene: GameScene, y: (total: number) => number): { mark: string; at: number }[] {
  const ends = scene.players
    .map((player, index) => ({ mark: player.mark, at: y(scene.totals.at(-1)?.[index] ?? 0) }))
    .sort((a, b) => a.at - b.at);
  ends.forEach((end, place) => {
    const above = ends[place - 1];
    if (above) end.at = Math.max(end.at, above.at + APART);
  });
  return ends;
}
