// Colours as every program that draws SVG reads them: six digits, and an opacity beside them.

export interface Colour {
  hex: string;
  opacity: number;
}

const known = new Map<string, Colour | null>();

/** Return a colour that a style was computed to, null for one that cannot be seen. */
export function colourOf(css: string): Colour | null {
  if (!known.has(css)) known.set(css, read(css));
  return known.get(css) ?? null;
}

function read(css: string): Colour | null {
  const plain = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/.exec(css);
  if (plain) return made([1, 2, 3].map((part) => Number(plain[part])), plain[4]);
  // what is mixed of others is told in shares of one
  const mixed = /^color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)(?: \/ ([\d.e-]+))?\)$/.exec(css);
  if (mixed) return made([1, 2, 3].map((part) => Number(mixed[part]) * 255), mixed[4]);
  return painted(css);
}

/** Return the colour that is there when it was painted: any other way of writing one. */
function painted(css: string): Colour | null {
  const pen = document.createElement("canvas").getContext("2d");
  if (!pen) return null;
  pen.fillStyle = "rgb(0 0 0 / 0)";
  pen.fillStyle = css;
  pen.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 0] = pen.getImageData(0, 0, 1, 1).data;
  return made([red, green, blue], String(alpha / 255));
}

function made(parts: number[], alpha = "1"): Colour | null {
  const opacity = Math.round(Number(alpha) * 1000) / 1000;
  const digits = parts.map((part) => Math.round(Math.min(255, Math.max(0, part))).toString(16).padStart(2, "0"));
  return opacity > 0 ? { hex: `#${digits.join("")}`, opacity } : null;
}
