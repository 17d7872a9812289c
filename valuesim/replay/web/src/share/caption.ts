// What a picture is of, in words below it: elsewhere nothing else says which run it shows, and how much it rests on.
import { visible } from "../text";
import { colourOf } from "./colours";
import { make, paint } from "./elements";

const SIZE = 12;
const HEIGHT = 17;
const LONGEST = 400;
const MOST_LINES = 12;

/** Return the height of a caption as it stands below a picture of this width, and its texts, the first one's top at `top`. */
export function captionOf(sentences: string[], width: number, left: number, top: number): { texts: SVGElement[]; height: number } {
  const pen = document.createElement("canvas").getContext("2d");
  if (pen) pen.font = `${SIZE}px ${getComputedStyle(document.body).fontFamily}`;
  const widthOf = (text: string) => pen?.measureText(text).width ?? text.length * SIZE * 0.6;
  const lines = sentences.flatMap((each) => brokenInto(visible(each.slice(0, LONGEST)), width, widthOf)).slice(0, MOST_LINES);
  const colour = colourOf(getComputedStyle(document.body).color);
  const texts = lines.map((line, place) =>
    make("text", { x: left, y: top + place * HEIGHT + SIZE, "font-size": SIZE, ...(colour ? paint("fill", colour) : {}), "xml:space": "preserve" }, line),
  );
  return { texts, height: lines.length * HEIGHT };
}

/** Return a text in lines that are no wider than `width`; a word that is wider is cut into several. */
function brokenInto(text: string, width: number, widthOf: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of text.split(/(?<=\s)/)) {
    if (widthOf((line + part).trimEnd()) <= width) line += part;
    else {
      if (line) lines.push(line.trimEnd());
      line = "";
      for (const sign of part) {
        if (line && widthOf(line + sign) > width) {
          lines.push(line);
          line = "";
        }
        line += sign;
      }
    }
  }
  return line.trim() ? [...lines, line.trimEnd()] : lines;
}
