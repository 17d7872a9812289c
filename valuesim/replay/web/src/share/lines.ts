// Texts as a browser broke them into lines, each line a text of the picture at its place.
import { colourOf } from "./colours";
import { fontOf, make, paint, tidy } from "./elements";

export interface Line {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const NEAR = 64;

/** Return the lines of a text node; `limit` is the right end of a line that is cut with an ellipsis. */
export function linesOf(node: Text, keepsSpaces: boolean, limit: number | null): Line[] {
  const found: Line[] = [];
  const range = document.createRange();
  const boxOf = (start: number, end: number) => {
    range.setStart(node, start);
    range.setEnd(node, end);
    return range.getBoundingClientRect();
  };
  const long = node.data.length;
  let start = 0;
  while (start < long) {
    const first = boxOf(start, start + 1);
    if (first.width === 0) {
      start += 1;
      continue;
    }
    const end = endOfLine(start, long, (to) => boxOf(start, to).height < 1.5 * first.height);
    const line = lineOf(node.data, start, end, boxOf, keepsSpaces, limit);
    if (line) found.push(line);
    start = end;
  }
  return found;
}

type BoxOf = (start: number, end: number) => DOMRect;

/** Return the largest end at which `isOneLine` holds: steps that double, then halves. */
function endOfLine(start: number, long: number, isOneLine: (end: number) => boolean): number {
  let good = start + 1;
  let step = NEAR;
  while (good < long && isOneLine(Math.min(long, good + step))) {
    good = Math.min(long, good + step);
    step *= 2;
  }
  let bad = Math.min(long + 1, good + step + 1);
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (middle <= long && isOneLine(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function lineOf(data: string, start: number, end: number, boxOf: BoxOf, keepsSpaces: boolean, limit: number | null): Line | null {
  const whole = data.slice(start, end);
  const last = end - (whole.length - whole.trimEnd().length);
  const begin = start + (whole.length - whole.trimStart().length);
  if (last <= begin) return null;
  const box = boxOf(begin, last);
  if (box.width === 0) return null;
  if (limit !== null && box.right > limit + 0.5) return cutLine(data, begin, last, boxOf, limit);
  return { text: spaced(data.slice(begin, last), keepsSpaces), x: box.x, y: box.y, width: box.width, height: box.height };
}

/** Return as much of a line as stands before `limit`, with the ellipsis that the style sheet asks for. */
function cutLine(data: string, begin: number, last: number, boxOf: BoxOf, limit: number): Line | null {
  const room = limit - boxOf(begin, begin + 1).height * 0.6;
  const found = Math.max(begin + 1, endOfLine(begin, last, (to) => boxOf(begin, to).right <= room));
  // no pair of surrogates is cut apart
  const end = /[\ud800-\udbff]/.test(data.charAt(found - 1)) ? found + 1 : found;
  const box = boxOf(begin, end);
  if (box.x >= limit) return null;
  return { text: `${spaced(data.slice(begin, end), false).trimEnd()}\u2026`, x: box.x, y: box.y, width: limit - box.x, height: box.height };
}

function spaced(text: string, keepsSpaces: boolean): string {
  return keepsSpaces ? text.replace(/[\t\n\r]/g, " ") : text.replace(/[\t\n\r\f ]+/g, " ");
}

/** Return a line as text of the picture: as wide as it stood, whatever font draws it. */
export function lineShape(line: Line, style: CSSStyleDeclaration, decoration: string): SVGElement {
  const colour = colourOf(style.color);
  const isTurned = style.direction === "rtl";
  const text = style.textTransform === "uppercase" ? line.text.toUpperCase() : line.text;
  return make(
    "text",
    {
      x: isTurned ? line.x + line.width : line.x,
      y: line.y + line.height * ascentOf(style),
      ...(colour ? paint("fill", colour) : { fill: "none" }),
      "font-family": fontOf(style.fontFamily),
      "font-size": tidy(Number.parseFloat(style.fontSize)),
      "font-weight": style.fontWeight === "400" ? null : style.fontWeight,
      "font-style": style.fontStyle === "normal" ? null : style.fontStyle,
      "text-decoration": decoration || null,
      direction: isTurned ? "rtl" : null,
      "unicode-bidi": isTurned ? "embed" : null,
      textLength: text.length > 1 && !text.endsWith("\u2026") ? line.width : null,
      lengthAdjust: text.length > 1 && !text.endsWith("\u2026") ? "spacingAndGlyphs" : null,
      "xml:space": "preserve",
    },
    text,
  );
}

const ascents = new Map<string, number>();

/** Return where the baseline lies in a line of a font, as a share of its height from above. */
function ascentOf(style: CSSStyleDeclaration): number {
  const font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  let share = ascents.get(font);
  if (share === undefined) {
    const pen = document.createElement("canvas").getContext("2d");
    if (pen) pen.font = font;
    const told = pen?.measureText("x");
    share = told ? told.fontBoundingBoxAscent / (told.fontBoundingBoxAscent + told.fontBoundingBoxDescent) : 0.8;
    ascents.set(font, share);
  }
  return share;
}
