// A part of the page as one SVG: what the browser laid out, drawn again as shapes and texts, each with its look written
// into it. There is no HTML within, so that editors show it too, and nothing that could run or be fetched.
import { type Box, boxShapes, grown, radiiOf, rounded } from "./boxes";
import { captionOf } from "./caption";
import { colourOf } from "./colours";
import { make, pageFont, paint } from "./elements";
import { lineShape, linesOf } from "./lines";
import { drawingIn, shapeOf } from "./shapes";

export interface Drawing {
  svg: SVGElement;
  width: number;
  height: number;
}

const MARGIN = 16;

/** Where things are drawn: the page's place of the picture's corner, and what is handed down. */
interface Frame {
  x: number;
  y: number;
  /** The right end of a line that is cut with an ellipsis, on the page. */
  limit: number | null;
  decoration: string;
  images: Map<HTMLImageElement, string>;
  definitions: SVGElement;
}

/** Return what `root` shows, as it is laid out now, with a caption below; raise an error where an image in it cannot be read. */
export async function drawingOf(root: HTMLElement, label: string, caption: string[]): Promise<Drawing> {
  settle(root);
  const images = await imagesIn(root);
  const box = root.getBoundingClientRect();
  const width = Math.ceil(box.width) + 2 * MARGIN;
  const below = captionOf(caption, Math.ceil(box.width), MARGIN, Math.ceil(box.height) + 2 * MARGIN);
  const height = Math.ceil(box.height) + 2 * MARGIN + (below.height > 0 ? below.height + MARGIN : 0);
  const svg = make("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": pageFont() });
  const paper = colourOf(getComputedStyle(document.body).backgroundColor) ?? { hex: "#ffffff", opacity: 1 };
  const definitions = make("defs");
  svg.append(make("title", {}, label), definitions, make("rect", { width, height, ...paint("fill", paper) }));
  const frame = { x: box.x - MARGIN, y: box.y - MARGIN, limit: null, decoration: "", images, definitions };
  for (const child of root.childNodes) drawNode(child, svg, frame);
  svg.append(...below.texts);
  if (definitions.childNodes.length === 0) definitions.remove();
  return { svg, width, height };
}

export function written(drawing: Drawing): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(drawing.svg)}\n`;
}

/** End what moves: a picture is of where it comes to rest. */
function settle(root: HTMLElement): void {
  for (const moving of root.getAnimations({ subtree: true })) {
    try {
      moving.finish();
    } catch {
      moving.cancel(); // it would go on without end
    }
  }
}

async function imagesIn(root: HTMLElement): Promise<Map<HTMLImageElement, string>> {
  const found = new Map<HTMLImageElement, string>();
  for (const image of root.querySelectorAll("img")) {
    if (image.getClientRects().length > 0) found.set(image, await textOf(image.src));
  }
  return found;
}

async function textOf(address: string): Promise<string> {
  const own = /^data:image\/svg\+xml,(.*)$/s.exec(address);
  if (own) return decodeURIComponent(own[1] ?? "");
  const answer = await fetch(address);
  if (!answer.ok) throw new Error("The image in it could not be read.");
  return answer.text();
}

function drawNode(node: Node, into: SVGElement, frame: Frame): void {
  if (node instanceof Text) drawText(node, into, frame);
  else if (node instanceof HTMLElement || node instanceof SVGSVGElement) drawElement(node, into, frame);
}

function drawText(node: Text, into: SVGElement, frame: Frame): void {
  const above = node.parentElement;
  if (!above || node.data.trim() === "") return;
  const style = getComputedStyle(above);
  if (style.visibility !== "visible") return;
  for (const line of linesOf(node, style.whiteSpace.startsWith("pre") && style.whiteSpace !== "pre-line", frame.limit)) {
    into.append(lineShape({ ...line, x: line.x - frame.x, y: line.y - frame.y }, style, frame.decoration));
  }
}

function drawElement(element: HTMLElement | SVGSVGElement, into: SVGElement, frame: Frame): void {
  const style = getComputedStyle(element);
  if (style.display === "none" || style.clipPath.startsWith("inset(50%") || isAside(element)) return;
  const place = style.opacity === "1" ? into : added(into, make("g", { opacity: style.opacity }));
  if (style.visibility === "visible" && style.display !== "contents") {
    for (const box of boxesOf(element, style, frame)) place.append(...boxShapes(box, style));
  }
  if (element instanceof SVGSVGElement) drawDrawing(element, shapeOf(element), style, place, frame);
  else if (element instanceof HTMLImageElement) drawImage(element, style, place, frame);
  else drawWithin(element, style, place, frame);
}

/** Whether an element is for who uses the page alone. */
function isAside(element: Element): boolean {
  if (element instanceof HTMLButtonElement) return element.getAttribute("aria-expanded") === "true";
  return element instanceof HTMLElement && element.dataset["aside"] !== undefined;
}

function boxesOf(element: Element, style: CSSStyleDeclaration, frame: Frame): Box[] {
  const boxes = style.display === "inline" ? [...element.getClientRects()] : [element.getBoundingClientRect()];
  return boxes.map((box) => ({ x: box.x - frame.x, y: box.y - frame.y, width: box.width, height: box.height }));
}

function drawWithin(element: HTMLElement, style: CSSStyleDeclaration, into: SVGElement, frame: Frame): void {
  const isCut = style.overflowX !== "visible" && (element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight);
  const inner = { ...frame, decoration: decorationOf(style) || frame.decoration };
  const [box] = boxesOf(element, style, frame);
  let place = into;
  if (isCut && box) {
    place = added(into, make("g", { "clip-path": clipped(box, style, frame) }));
    if (style.textOverflow === "ellipsis") inner.limit = box.x + box.width + frame.x - (Number.parseFloat(style.paddingRight) || 0);
  }
  drawBefore(element, place, frame);
  for (const child of element.childNodes) drawNode(child, place, inner);
}

function decorationOf(style: CSSStyleDeclaration): string {
  return style.textDecorationLine === "none" ? "" : style.textDecorationLine;
}

/** Draw an empty box that the style sheet puts at a place before what an element holds. */
function drawBefore(element: HTMLElement, into: SVGElement, frame: Frame): void {
  const style = getComputedStyle(element, "::before");
  if (style.content !== '""' || style.position !== "absolute") return;
  const [left, top, width, height] = [style.left, style.top, style.width, style.height].map(Number.parseFloat);
  if ([left, top, width, height].some((given) => given === undefined || Number.isNaN(given))) return;
  const around = element.getBoundingClientRect();
  const x = around.x + element.clientLeft + (left ?? 0) - frame.x;
  const y = around.y + element.clientTop + (top ?? 0) - frame.y;
  into.append(...boxShapes({ x, y, width: Math.max(width ?? 0, Number.parseFloat(style.borderLeftWidth)), height: height ?? 0 }, style));
}

function drawImage(image: HTMLImageElement, style: CSSStyleDeclaration, into: SVGElement, frame: Frame): void {
  const drawing = drawingIn(frame.images.get(image) ?? "");
  if (drawing) drawDrawing(image, drawing, style, into, frame);
}

function drawDrawing(element: Element, drawing: SVGElement, style: CSSStyleDeclaration, into: SVGElement, frame: Frame): void {
  const [whole] = boxesOf(element, style, frame);
  if (!whole || whole.width <= 0 || whole.height <= 0) return;
  const box = grown(whole, -(Number.parseFloat(style.borderTopWidth) || 0));
  for (const [name, given] of Object.entries(box)) drawing.setAttribute(name, String(Math.round(given * 100) / 100));
  if (style.overflowX === "visible") drawing.setAttribute("overflow", "visible");
  const isRound = radiiOf(whole, style).some((radius) => radius > 0);
  const place = isRound ? added(into, make("g", { "clip-path": clipped(whole, style, frame) })) : into;
  place.append(drawing);
}

function clipped(box: Box, style: CSSStyleDeclaration, frame: Frame): string {
  const id = `clip-${frame.definitions.childNodes.length + 1}`;
  const clip = added(frame.definitions, make("clipPath", { id }));
  clip.append(make("path", { d: rounded(box, radiiOf(box, style)) }));
  return `url(#${id})`;
}

function added(into: SVGElement, element: SVGElement): SVGElement {
  into.append(element);
  return element;
}
