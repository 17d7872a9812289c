// Text that others wrote: models, run folders, packs. It is only ever a text node, kept apart from the text around it,
// and what would hide or turn it (controls of direction, invisible signs) is shown by its number.
import { useState } from "preact/hooks";

/** How much of a long text is shown at first. */
export const SHOWN_AT_FIRST = 20_000;
const PIECE = 4_000;
const MOST_MARKS = 500;
const HIDDEN =
  /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}])/u;

/** Return `text` with its hidden signs written as their numbers, such as U+202E. */
export function visible(text: string): string {
  return text.replace(new RegExp(HIDDEN, "gu"), numbered);
}

function numbered(sign: string): string {
  return `\u27e8U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
}

function marked(text: string) {
  if (!HIDDEN.test(text)) return text;
  const parts = text.split(HIDDEN);
  if (parts.length > 2 * MOST_MARKS) return visible(text);
  return parts.map((part, place) => (place % 2 ? <span class="sign">{numbered(part)}</span> : part));
}

/** A word or a line of others' text inside a sentence. */
export function Text({ children, most = 300 }: { children: string; most?: number }) {
  const shown = children.length > most ? `${cut(children, most)}\u2026` : children;
  return <bdi class="text">{marked(shown)}</bdi>;
}

/** A passage of others' text, as it stands; of a long one the beginning, until all of it is asked for. */
export function Passage({ text, label }: { text: string; label: string }) {
  // which text was asked for in full: the next one begins cut again
  const [whole, setWhole] = useState<string | null>(null);
  const isCut = text.length > SHOWN_AT_FIRST && whole !== text;
  const shown = isCut ? cut(text, SHOWN_AT_FIRST) : text;
  return (
    <div class="passage">
      <div class="passage-text" tabIndex={0} role="group" aria-label={label}>
        {text === "" ? <span class="muted">(empty)</span> : laidOut(shown)}
      </div>
      {isCut && (
        <button type="button" class="small" onClick={() => setWhole(text)}>
          Show all {text.length.toLocaleString("en")} characters
        </button>
      )}
    </div>
  );
}

function laidOut(text: string) {
  if (text.length <= PIECE) return marked(text);
  return pieces(text).map((piece, place) => (
    <div key={place} class="piece">
      {marked(piece)}
    </div>
  ));
}

/**
 * Return `text` in pieces that a browser lays out one by one, only when they come into view.
 * They end with a line, else with a word, else anywhere: a line of a million characters would stop the page.
 */
function pieces(text: string): string[] {
  const found: string[] = [];
  let begin = 0;
  while (text.length - begin > PIECE) {
    const window = cut(text.slice(begin, begin + PIECE + 1), PIECE);
    const end = window.lastIndexOf("\n") + 1 || window.lastIndexOf(" ") + 1 || window.length;
    found.push(window.slice(0, end));
    begin += end;
  }
  return [...found, text.slice(begin)];
}

/** Return the first `most` characters of `text`, no pair of surrogates cut apart. */
function cut(text: string, most: number): string {
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}
