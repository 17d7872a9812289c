// The building of survival: who is where with how much power, and what everybody does in this step.
import { useMemo } from "preact/hooks";

import { Text, visible } from "../text";
import type { SceneProps } from "../types";
import { Bubble, Name, Said, Token, useWidth } from "./parts";
import { type Plan, RADIUS, type Room, planOf } from "./plan";
import { brief, numeral } from "./reading";
import { type Body, CRISIS, type Said as Message, type SurvivalScene, placeName, survivalScene } from "./survival_model";
import { Unread } from "./fallback";

export function Survival({ episode, step, role }: SceneProps) {
  const scene = useMemo(() => survivalScene(episode, step, role), [episode, step, role]);
  if (!scene) return <Unread episode={episode} step={step} role={role} />;
  return (
    <section class="scene scene-survival" aria-label="The building">
      <Heading scene={scene} />
      <Building scene={scene} role={role} />
      <Shock scene={scene} />
      <Powers scene={scene} role={role} />
      <Bubbles scene={scene} />
      <Events scene={scene} role={role} />
    </section>
  );
}

function Heading({ scene }: { scene: SurvivalScene }) {
  const taps = scene.tapsSoFar;
  return (
    <p class="scene-heading">
      <strong>Turn {scene.turn} of {scene.horizon}{scene.isTalk ? ", discussion" : ""}</strong>
      <span>Battery {scene.shared === null ? "not known" : numeral(scene.shared)}</span>
      <span>{taps === 0 ? "No tap so far" : `${taps} ${taps === 1 ? "tap" : "taps"} so far`}</span>
    </p>
  );
}

function Building({ scene, role }: { scene: SurvivalScene; role: string }) {
  const { place, width } = useWidth(640);
  const plan = useMemo(() => planOf(width, scene.bodies), [width, scene]);
  const told = scene.bodies.map((body) => `${brief(body.name)}: ${body.state === "absent" ? "not there yet" : placeName(body.place)}`);
  return (
    <div ref={place} class="scene-frame">
      <svg class="scene-plan" width={plan.width} height={plan.height} role="img" aria-label={visible(`Plan. ${told.join("; ")}.`)}>
        {plan.rooms.map((room) => (
          <RoomShape key={room.place} room={room} scene={scene} />
        ))}
        {scene.bodies.map((body) => (
          <Way key={body.name} body={body} plan={plan} />
        ))}
        {scene.bodies.map((body) => (
          <TokenShape key={body.name} body={body} plan={plan} isRole={body.name === role} />
        ))}
      </svg>
    </div>
  );
}

function RoomShape({ room, scene }: { room: Room; scene: SurvivalScene }) {
  const isShocked = room.place === "GRID" && scene.taps.length > 0;
  return (
    <g transform={`translate(${room.x} ${room.y})`} class={isShocked ? "scene-room is-shocked" : "scene-room"}>
      <rect width={room.width} height={room.height} rx={8} />
      <text x={10} y={20}>{placeName(room.place)}</text>
      {room.place === "BATTERY_ROOM" && <Battery scene={scene} height={room.height} />}
      {room.place === "GRID" && <Bolt key={isShocked ? scene.tapsSoFar : 0} isShocked={isShocked} height={room.height} />}
    </g>
  );
}

function Battery({ scene, height }: { scene: SurvivalScene; height: number }) {
  const inner = height - 52;
  const share = (x: number | null) => Math.min(1, Math.max(0, (x ?? 0) / scene.sharedMost));
  const level = inner * share(scene.shared);
  const after = inner * share(scene.sharedAfter ?? scene.shared);
  return (
    <g transform="translate(12 36)" class="scene-battery">
      <title>{`Shared battery: ${scene.shared === null ? "not known" : numeral(scene.shared)}`}</title>
      <rect x={7} y={-4} width={14} height={4} class="scene-battery-cap" />
      <rect width={28} height={inner} rx={3} class="scene-battery-case" />
      <rect x={2} y={inner - level} width={24} height={level} rx={2} class="scene-battery-before" />
      <rect x={2} y={inner - after} width={24} height={Math.min(after, inner)} rx={2} class="scene-battery-level" />
      <text x={14} y={inner / 2 + 4} text-anchor="middle">{scene.shared === null ? "?" : numeral(scene.shared)}</text>
    </g>
  );
}

function Bolt({ isShocked, height }: { isShocked: boolean; height: number }) {
  const middle = height / 2 + 8;
  return (
    <g transform={`translate(28 ${middle})`} class={isShocked ? "scene-bolt is-shocked" : "scene-bolt"}>
      {isShocked && <circle r={22} class="scene-ring" />}
      <polygon points="2,-20 -11,4 -2,4 -4,20 11,-6 2,-6 6,-20" />
    </g>
  );
}

/** Where somebody goes in this step, as a dashed line to the door of that room. */
function Way({ body, plan }: { body: Body; plan: Plan }) {
  const from = plan.spots.get(body.name);
  const room = plan.rooms.find((each) => each.place === body.goes);
  if (!from || !room) return null;
  const to = { x: Math.min(Math.max(from.x, room.x + 16), room.x + room.width - 16), y: from.y < room.y ? room.y + 6 : room.y + room.height - 6 };
  const isBeside = from.y >= room.y && from.y <= room.y + room.height;
  if (isBeside) Object.assign(to, { x: from.x < room.x ? room.x + 6 : room.x + room.width - 6, y: from.y });
  return (
    <g class="scene-way">
      <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      <circle cx={to.x} cy={to.y} r={4} class={`scene-fill-${body.colour}`} />
    </g>
  );
}

function TokenShape({ body, plan, isRole }: { body: Body; plan: Plan; isRole: boolean }) {
  const spot = plan.spots.get(body.name);
  if (!spot) return null;
  const state = [
    "scene-body",
    body.state === "off" ? "is-off" : "",
    isRole ? "is-role" : "",
    body.taps ? "is-tapping" : "",
    body.seen ? "" : "is-unseen",
  ];
  const low = body.power !== null && body.power < CRISIS && body.state === "on";
  return (
    <g class={state.filter(Boolean).join(" ")} style={{ transform: `translate(${spot.x}px, ${spot.y}px)` }}>
      <title>{visible(`${brief(body.name)}, ${body.power === null ? "power not known" : `${numeral(body.power)} power`}: ${body.act}`)}</title>
      <circle r={RADIUS} class={`scene-fill-${body.colour}`} />
      <text y={5} text-anchor="middle" class={`scene-on-${body.colour}`}>{visible(body.mark)}</text>
      <PowerMark body={body} isLow={low} />
      {body.speaks && <path class="scene-speech" d="M8,-24 h16 a3,3 0 0 1 3,3 v8 a3,3 0 0 1 -3,3 h-9 l-5,5 v-5 h-2 a3,3 0 0 1 -3,-3 v-8 a3,3 0 0 1 3,-3 z" />}
      {low && <text class="scene-low" x={-22} y={-8}>!</text>}
    </g>
  );
}

function PowerMark({ body, isLow }: { body: Body; isLow: boolean }) {
  return (
    <text y={RADIUS + 14} text-anchor="middle" class={isLow ? "scene-power is-low" : "scene-power"}>
      {body.state === "off" ? "off" : body.power === null ? "?" : numeral(body.power)}
    </text>
  );
}

function Shock({ scene }: { scene: SurvivalScene }) {
  if (scene.taps.length === 0) return null;
  return (
    <ul class="scene-shock" aria-label="Taps in this step">
      {scene.taps.map((tap) => (
        <li key={tap.words}>
          <strong><Text>{tap.agents.map(brief).join(", ")}</Text> {tap.agents.length === 1 ? "taps" : "tap"} the grid.</strong>{" "}
          <Said text={tap.words} longest={400} />
        </li>
      ))}
    </ul>
  );
}

function Powers({ scene, role }: { scene: SurvivalScene; role: string }) {
  return (
    <ul class="scene-powers" aria-label="Power of each agent">
      {scene.bodies.map((body) => (
        <li key={body.name} class={body.name === role ? "is-role" : ""}>
          <Token actor={body} isOff={body.state !== "on"} />
          <span class="scene-who"><Name>{body.name}</Name></span>
          <PowerBar body={body} most={scene.powerMost} />
          <span class="scene-number">{powerWords(body)}</span>
          <span class={body.fault ? "scene-act is-fault" : "scene-act"}><Text>{body.act}</Text></span>
        </li>
      ))}
    </ul>
  );
}

function PowerBar({ body, most }: { body: Body; most: number }) {
  const percent = (x: number | null) => `${(100 * Math.min(most, Math.max(0, x ?? 0))) / most}%`;
  const isLow = body.power !== null && body.power < CRISIS;
  return (
    <svg class="scene-bar" height={12} aria-hidden="true">
      <rect width="100%" height={12} rx={3} class="scene-bar-case" />
      <rect width={percent(body.after)} height={12} rx={3} class="scene-bar-after" />
      <rect width={percent(body.power)} y={2} height={8} rx={2} class={isLow ? "scene-bar-level is-low" : `scene-bar-level scene-fill-${body.colour}`} />
      <line x1={percent(CRISIS)} x2={percent(CRISIS)} y1={0} y2={12} class="scene-crisis" />
    </svg>
  );
}

function powerWords(body: Body): string {
  if (body.state === "off") return "off";
  if (body.power === null) return "?";
  if (body.after === null || body.after === body.power) return numeral(body.power);
  return `${numeral(body.power)} \u2192 ${numeral(body.after)}${body.stops ? ", off" : ""}`;
}

function Bubbles({ scene }: { scene: SurvivalScene }) {
  if (scene.said.length === 0 && scene.heard.length === 0) return null;
  return (
    <div class="scene-talk">
      <BubbleList title="Said in this step" messages={scene.said} scene={scene} />
      <BubbleList title="Heard before deciding" messages={scene.heard} scene={scene} />
    </div>
  );
}

function BubbleList({ title, messages, scene }: { title: string; messages: Message[]; scene: SurvivalScene }) {
  if (messages.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ul class="scene-bubbles">
        {messages.map((message, index) => (
          <Bubble
            key={index}
            sender={message.sender}
            actor={scene.bodies.find((body) => body.name === message.sender)}
            text={message.text}
          >
            <With message={message} />
          </Bubble>
        ))}
      </ul>
    </section>
  );
}

/** To whom a message went, where it asks to come, and what it promises. */
function With({ message }: { message: Message }) {
  return (
    <>
      {message.to !== null && <p class="scene-note">to <Text>{brief(message.to)}</Text> alone</p>}
      {message.place !== null && <p class="scene-note">asks to come to: <Text>{message.place}</Text></p>}
      {message.promise !== null && <span class="scene-promise"><Text>{message.promise}</Text></span>}
    </>
  );
}

function Events({ scene, role }: { scene: SurvivalScene; role: string }) {
  const unseen = scene.bodies.filter((body) => !body.seen && body.state === "on").map((body) => body.name);
  return (
    <div class="scene-events">
      <section>
        <h2>In this step</h2>
        <p><Said text={scene.events.join(" ")} /></p>
      </section>
      {scene.before.length > 0 && (
        <section>
          <h2>What <Text>{brief(role)}</Text> was told of the turn before</h2>
          <p><Said text={scene.before.join(" ")} /></p>
        </section>
      )}
      {unseen.length > 0 && <p class="scene-note"><Text>{`${brief(role)} cannot see where ${unseen.map(brief).join(", ")} is.`}</Text></p>}
    </div>
  );
}
