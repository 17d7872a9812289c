// Drawings inside a picture, copied with the look that the style sheet gave them written into each element.
import { colourOf } from "./colours";
import { fontOf, make, tidy, writable } from "./elements";

/** What draws; whatever else stands in a drawing (scripts, styles, pages, links) is left out. */
const DRAWS = new Set(
  ("svg g a rect circle ellipse line polyline polygon path text tspan title desc defs marker linearGradient radialGradient " +
    "stop clipPath mask pattern use symbol switch").split(" "),
);
/** Property -> what it is where nothing is said. These are handed down to what stands within. */
const HANDED_DOWN: { [property: string]: string } = {
  "stroke-width": "1px",
  "stroke-dasharray": "none",
  "stroke-linecap": "butt",
  "stroke-linejoin": "miter",
  "fill-rule": "nonzero",
  "font-size": "",
  "font-weight": "400",
  "font-style": "normal",
  "text-anchor": "start",
  "dominant-baseline": "auto",
  "paint-order": "normal",
  "letter-spacing": "normal",
  "marker-start": "none",
  "marker-mid": "none",
  "marker-end": "none",
};
const OWN: { [property: string]: string } = { opacity: "1", "clip-path": "none", mask: "none", "vector-effect": "none" };
const PAINTS = ["fill", "stroke"] as const;
const WRITTEN = new Set([...Object.keys(HANDED_DOWN), ...Object.keys(OWN), ...PAINTS, "fill-opacity", "stroke-opacity", "font-family", "font", "color", "visibility", "display", "stop-color", "stop-opacity", "direction"]);

/** Return a drawing of the page, as it looks there. */
export function shapeOf(drawing: SVGElement): SVGElement {
  return copied(drawing, null);
}

function copied(from: SVGElement, above: CSSStyleDeclaration | null): SVGElement {
  const style = getComputedStyle(from);
  const copy = make(from.localName === "a" ? "g" : from.localName);
  for (const { name, value } of from.attributes) {
    if (isCopied(name, value)) copy.setAttribute(name, writable(value));
  }
  look(copy, style, above);
  place(copy, from, style);
  for (const child of from.childNodes) {
    if (child instanceof Text) copy.append(document.createTextNode(writable(child.data)));
    else if (child instanceof SVGElement && DRAWS.has(child.localName) && isSeen(child)) copy.append(copied(child, style));
  }
  measure(copy, from);
  return copy;
}

/** What is never drawn where it stands, and used or told from elsewhere. */
const ASIDE = new Set(["title", "desc", "defs", "marker", "linearGradient", "radialGradient", "stop", "clipPath", "mask", "pattern", "symbol"]);

function isSeen(element: SVGElement): boolean {
  if (ASIDE.has(element.localName)) return true;
  const style = getComputedStyle(element);
  return style.display !== "none" && style.visibility !== "hidden";
}

/** Whether an attribute says where or how something is drawn, and leads nowhere else. */
function isCopied(name: string, value: string): boolean {
  if (WRITTEN.has(name) || /^(on|data-|aria-)|^(class|style|tabindex|role|focusable)$/i.test(name)) return false;
  if (/^(xlink:)?href$/i.test(name)) return value.startsWith("#");
  return !/^xmlns/i.test(name) && !/url\(\s*["']?(?!#)/i.test(value);
}

function look(copy: SVGElement, style: CSSStyleDeclaration, above: CSSStyleDeclaration | null): void {
  for (const [property, initial] of Object.entries(HANDED_DOWN)) {
    const given = style.getPropertyValue(property);
    if (given !== (above ? above.getPropertyValue(property) : initial)) copy.setAttribute(property, unquoted(given));
  }
  for (const [property, initial] of Object.entries(OWN)) {
    const given = style.getPropertyValue(property);
    if (given && given !== initial && !given.startsWith("inset")) copy.setAttribute(property, unquoted(given));
  }
  const family = fontOf(style.fontFamily);
  if (family && family !== above?.fontFamily) copy.setAttribute("font-family", family);
  for (const name of PAINTS) painted(copy, name, style, above);
  if (copy.localName === "stop") stop(copy, style);
}

function painted(copy: SVGElement, name: (typeof PAINTS)[number], style: CSSStyleDeclaration, above: CSSStyleDeclaration | null): void {
  const of = (told: CSSStyleDeclaration) => `${told.getPropertyValue(name)} ${told.getPropertyValue(`${name}-opacity`)}`;
  if (above && of(style) === of(above)) return;
  const given = style.getPropertyValue(name);
  const link = /url\("?(#[^")]+)"?\)/.exec(given);
  const colour = link || given === "none" ? null : colourOf(given);
  const share = (colour?.opacity ?? 1) * Number(style.getPropertyValue(`${name}-opacity`) || 1);
  copy.setAttribute(name, link ? `url(${link[1]})` : (colour?.hex ?? "none"));
  copy.setAttribute(`${name}-opacity`, tidy(share));
}

function stop(copy: SVGElement, style: CSSStyleDeclaration): void {
  const colour = colourOf(style.getPropertyValue("stop-color"));
  const share = (colour?.opacity ?? 0) * Number(style.getPropertyValue("stop-opacity") || 1);
  copy.setAttribute("stop-color", colour?.hex ?? "#000000");
  copy.setAttribute("stop-opacity", tidy(share));
}

/** Write a place that the style sheet gave as the attribute that every program reads. */
function place(copy: SVGElement, from: SVGElement, style: CSSStyleDeclaration): void {
  if (from instanceof SVGSVGElement || !style.transform || style.transform === "none") return;
  const [x = 0, y = 0] = style.transformOrigin.split(" ").map(Number.parseFloat);
  const own = style.transform.replace(/,\s*/g, " ");
  const isAtOrigin = x === 0 && y === 0;
  copy.setAttribute("transform", isAtOrigin ? own : `translate(${tidy(x)} ${tidy(y)}) ${own} translate(${tidy(-x)} ${tidy(-y)})`);
}

/** Have a text as wide as it stood, whatever font draws it. */
function measure(copy: SVGElement, from: SVGElement): void {
  if (!(from instanceof SVGTextElement) || from.childElementCount > 0 || (from.textContent ?? "").length < 2) return;
  const wide = from.getComputedTextLength();
  if (wide <= 0) return;
  copy.setAttribute("textLength", tidy(wide));
  copy.setAttribute("lengthAdjust", "spacingAndGlyphs");
}

function unquoted(given: string): string {
  return given.replace(/url\("(#[^"]*)"\)/g, "url($1)");
}

/** Return a drawing that is no part of the page, which says how it looks itself; null where it is none. */
export function drawingIn(text: string): SVGElement | null {
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  return root instanceof SVGElement && root.localName === "svg" ? plainCopy(root) : null;
}

function plainCopy(from: SVGElement): SVGElement {
  const copy = make(from.localName === "a" ? "g" : from.localName);
  for (const { name, value } of from.attributes) {
    if (WRITTEN.has(name) ? !/url\(\s*["']?(?!#)/i.test(value) : isCopied(name, value)) copy.setAttribute(name, writable(value));
  }
  for (const child of from.childNodes) {
    if (child instanceof Text) copy.append(document.createTextNode(writable(child.data)));
    else if (child instanceof SVGElement && DRAWS.has(child.localName)) copy.append(plainCopy(child));
  }
  return copy;
}

