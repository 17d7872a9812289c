// A drawing as pixels, two for each that the page has, painted by this browser.
import { type Drawing, written } from "./drawing";

const SCALE = 2;
/** What browsers still paint: the most pixels of a side, and in all. */
const MOST_SIDE = 16_000;
const MOST_PIXELS = 64_000_000;

/** Return a drawing as PNG; raise an error where it is too large for one. */
export async function pixelsOf(drawing: Drawing): Promise<Blob> {
  const scale = [SCALE, 1].find((each) => fits(drawing, each));
  if (scale === undefined) throw new Error("It is too large for a PNG: save it as SVG.");
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(written(drawing))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = drawing.width * scale;
  canvas.height = drawing.height * scale;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const painted = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!painted) throw new Error("This browser cannot paint it: save it as SVG.");
  return painted;
}

function fits({ width, height }: Drawing, scale: number): boolean {
  return Math.max(width, height) * scale <= MOST_SIDE && width * height * scale * scale <= MOST_PIXELS;
}
