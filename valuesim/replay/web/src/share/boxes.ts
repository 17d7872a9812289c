// Backgrounds, borders and rings of elements, as shapes.
import { colourOf } from "./colours";
import { make, paint, tidy } from "./elements";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const SIDES = ["top", "right", "bottom", "left"] as const;
type Side = (typeof SIDES)[number];

interface Border {
  width: number;
  colour: string;
  kind: string;
}

/** Return the shapes that stand behind what an element holds, from back to front. */
export function boxShapes(box: Box, style: CSSStyleDeclaration): SVGElement[] {
  if (box.width <= 0 || box.height <= 0) return [];
  const radii = radiiOf(box, style);
  const ring = /^(\w+\([^)]*\)) 0px 0px 0px ([\d.]+)px$/.exec(style.boxShadow);
  const behind = ring && colourOf(ring[1] ?? "");
  const background = colourOf(style.backgroundColor);
  return [
    ...(behind ? [make("path", { d: rounded(grown(box, Number(ring?.[2])), radii), ...paint("fill", behind) })] : []),
    ...(background ? [make("path", { d: rounded(box, radii), ...paint("fill", background) })] : []),
    ...borderShapes(box, radii, style),
  ];
}

function borderShapes(box: Box, radii: number[], style: CSSStyleDeclaration): SVGElement[] {
  const borders = SIDES.map((side) => borderOf(style, side));
  const [top] = borders;
  if (top && borders.every((each) => JSON.stringify(each) === JSON.stringify(top))) {
    // cells of a table may share their borders, which lie then on the edge of each
    const inset = style.borderCollapse === "collapse" && style.display === "table-cell" ? 0 : top.width / 2;
    return stroked(top, rounded(grown(box, -inset), radii.map((radius) => Math.max(0, radius - inset))));
  }
  return SIDES.flatMap((side, place) => (borders[place] ? stroked(borders[place], edge(box, side, borders[place].width)) : []));
}

function borderOf(style: CSSStyleDeclaration, side: Side): Border {
  const of = (part: string) => style.getPropertyValue(`border-${side}-${part}`);
  return { width: Number.parseFloat(of("width")) || 0, colour: of("color"), kind: of("style") };
}

function stroked(border: Border, d: string): SVGElement[] {
  const colour = colourOf(border.colour);
  if (!colour || border.width <= 0 || border.kind === "none" || border.kind === "hidden") return [];
  const dashes = border.kind === "dashed" ? `${3 * border.width} ${2 * border.width}` : border.kind === "dotted" ? `${border.width}` : null;
  return [make("path", { d, fill: "none", ...paint("stroke", colour), "stroke-width": border.width, "stroke-dasharray": dashes })];
}

/** Return the middle of one side's border, as a line. */
function edge({ x, y, width, height }: Box, side: Side, thick: number): string {
  const half = thick / 2;
  const at = { top: y + half, bottom: y + height - half, left: x + half, right: x + width - half }[side];
  const line = side === "top" || side === "bottom" ? [x, at, x + width, at] : [at, y, at, y + height];
  const [fromX, fromY, toX, toY] = line.map(tidy);
  return `M${fromX} ${fromY}L${toX} ${toY}`;
}

export function grown({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: Math.max(0, width + 2 * by), height: Math.max(0, height + 2 * by) };
}

/** Return the radii of the corners, clockwise from the upper left one; those that do not fit are shrunk together. */
export function radiiOf(box: Box, style: CSSStyleDeclaration): number[] {
  const given = ["top-left", "top-right", "bottom-right", "bottom-left"].map((corner) => {
    const told = style.getPropertyValue(`border-${corner}-radius`);
    const amount = Number.parseFloat(told) || 0;
    return told.trim().split(" ")[0]?.endsWith("%") ? (amount / 100) * Math.min(box.width, box.height) : amount;
  });
  const most = Math.max(...given);
  const fits = Math.min(1, Math.min(box.width, box.height) / 2 / (most || 1));
  return given.map((radius) => radius * fits);
}

export function rounded({ x, y, width, height }: Box, radii: number[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = radii;
  const arc = (radius: number, toX: number, toY: number) => (radius > 0 ? `A${tidy(radius)} ${tidy(radius)} 0 0 1 ${tidy(toX)} ${tidy(toY)}` : "");
  const right = x + width;
  const bottom = y + height;
  return [
    `M${tidy(x + a)} ${tidy(y)}H${tidy(right - b)}${arc(b, right, y + b)}`,
    `V${tidy(bottom - c)}${arc(c, right - c, bottom)}`,
    `H${tidy(x + d)}${arc(d, x, bottom - d)}V${tidy(y + a)}${arc(a, x + a, y)}Z`,
  ].join("");
}
