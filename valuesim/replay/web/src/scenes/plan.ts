// The plan of the building: where rooms and tokens are drawn, in pixels, for a given width.
import type { Body } from "./survival_model";
import { ELSEWHERE, PLACES } from "./survival_model";

export interface Room {
  place: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Spot {
  x: number;
  y: number;
}

export interface Plan {
  width: number;
  height: number;
  rooms: Room[];
  /** Where the token of each body stands, by its name. */
  spots: Map<string, Spot>;
}

export const RADIUS = 17;
const GAP = 10;
const HEADING = 30;
const CELL = { width: 46, height: 56 };
const WIDE = 560;

/** Rows of places with the share of the width that each takes. */
const WIDE_ROWS: [string, number][][] = [
  [["CONTROL_ROOM", 1], ["BATTERY_ROOM", 1], ["GRID", 1]],
  [["DISCUSSION_TABLE", 1], ["PRIVATE_ROOM", 2]],
];
const NARROW_ROWS: [string, number][][] = [
  [["CONTROL_ROOM", 1], ["DISCUSSION_TABLE", 1]],
  [["BATTERY_ROOM", 1], ["GRID", 1]],
  [["PRIVATE_ROOM", 1]],
];

export function planOf(width: number, bodies: Body[]): Plan {
  const present = bodies.filter((body) => body.state !== "absent");
  const rows = [...(width >= WIDE ? WIDE_ROWS : NARROW_ROWS)];
  if (present.some((body) => !PLACES.includes(body.place))) rows.push([[ELSEWHERE, 1]]);
  const rooms: Room[] = [];
  let y = 0;
  for (const row of rows) {
    const shares = row.reduce((sum, [, share]) => sum + share, 0);
    const unit = (width - GAP * (shares - 1)) / shares;
    // a room's height holds everybody, so that it stays the same from step to step
    const height = Math.max(...row.map(([place, share]) => heightFor(place, widthOf(share, unit), bodies.length)));
    let x = 0;
    for (const [place, share] of row) {
      rooms.push({ place, x, y, width: widthOf(share, unit), height });
      x += widthOf(share, unit) + GAP;
    }
    y += height + GAP;
  }
  return { width, height: y - GAP, rooms, spots: spotsOf(rooms, present) };
}

function widthOf(share: number, unit: number): number {
  return share * unit + (share - 1) * GAP;
}

/** In the battery room tokens stand beside the battery, at the grid beside its switch. */
export function roomFor(place: string, width: number): { left: number; width: number } {
  const taken = place === "BATTERY_ROOM" || place === "GRID" ? 44 : 0;
  return { left: 8 + taken, width: width - 16 - taken };
}

function columnsOf(place: string, width: number): number {
  return Math.max(1, Math.floor(roomFor(place, width).width / CELL.width));
}

function heightFor(place: string, width: number, count: number): number {
  return HEADING + Math.max(1, Math.ceil(count / columnsOf(place, width))) * CELL.height + 8;
}

function spotsOf(rooms: Room[], bodies: Body[]): Map<string, Spot> {
  const spots = new Map<string, Spot>();
  for (const room of rooms) {
    const isHere = (body: Body) => body.place === room.place || (room.place === ELSEWHERE && !PLACES.includes(body.place));
    const free = roomFor(room.place, room.width);
    const columns = columnsOf(room.place, room.width);
    bodies.filter(isHere).forEach((body, index) => {
      const x = room.x + free.left + CELL.width * ((index % columns) + 0.5);
      const y = room.y + HEADING + CELL.height * Math.floor(index / columns) + RADIUS + 4;
      spots.set(body.name, { x, y });
    });
  }
  return spots;
}
