// Elements of a picture: made one by one, never of markup, so that a text in it stays a text.
import { visible } from "../text";
import { type Colour } from "./colours";

export const SVG = "http://www.w3.org/2000/svg";
// what XML may not hold, and halves of pairs of surrogates
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

/** Return `text` as XML can hold it; hidden signs are written by their numbers. */
export function writable(text: string): string {
  return visible(text).replace(UNWRITABLE, "\ufffd");
}

type Given = string | number | null | undefined;

export function make(name: string, attributes: { [name: string]: Given } = {}, text?: string): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, given] of Object.entries(attributes)) {
    if (given !== null && given !== undefined) element.setAttribute(attribute, typeof given === "number" ? tidy(given) : writable(given));
  }
  if (text !== undefined) element.append(document.createTextNode(writable(text)));
  return element;
}

/** Return the attributes that paint with a colour: `fill` or `stroke`, and its opacity. */
export function paint(name: "fill" | "stroke", colour: Colour): { [name: string]: Given } {
  return { [name]: colour.hex, [`${name}-opacity`]: colour.opacity < 1 ? colour.opacity : null };
}

export function tidy(n: number): string {
  return String(Math.round(n * 100) / 100);
}

/** Return the fonts that a style names, which end with one that every machine has; null for those of the page. */
export function fontOf(family: string): string | null {
  return family === pageFont() ? null : family;
}

export function pageFont(): string {
  return getComputedStyle(document.body).fontFamily;
}
