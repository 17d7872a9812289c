// A picture that can be taken away as SVG or PNG.
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { Text, visible } from "../text";
import { drawingOf, written } from "./drawing";
import { keep, plainName } from "./keeping";
import { pixelsOf } from "./pixels";

interface PictureProps {
  /** The name of its file, without an ending: letters, digits, "-" and "_" are kept. */
  name: string;
  /** What it shows, in words. */
  label: string;
  /** What it shows and what it rests on, sentences that stand below it where it is saved. */
  caption: string[];
  children: ComponentChildren;
}

type Kind = "svg" | "png";

export function Picture({ name, label, caption, children }: PictureProps) {
  const drawn = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const save = async (kind: Kind) => {
    if (!drawn.current) return;
    setFailed(null);
    try {
      keep(await made(drawn.current, label, caption, kind), `${plainName(name)}.${kind}`);
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div class="picture">
      <p class="picture-save" data-aside="">
        <span class="faulty" role="status">
          {failed !== null && (
            <>
              The picture could not be saved. <Text>{failed}</Text>
            </>
          )}
        </span>
        <span>Save picture:</span>
        <button type="button" class="small quiet" aria-label={visible(`Save picture as SVG: ${label}`)} onClick={() => void save("svg")}>
          SVG
        </button>
        <button type="button" class="small quiet" aria-label={visible(`Save picture as PNG: ${label}`)} onClick={() => void save("png")}>
          PNG
        </button>
      </p>
      <div ref={drawn} class="picture-drawn">
        {children}
      </div>
    </div>
  );
}

async function made(root: HTMLElement, label: string, caption: string[], kind: Kind): Promise<Blob> {
  const drawing = await drawingOf(root, label, caption);
  return kind === "svg" ? new Blob([written(drawing)], { type: "image/svg+xml" }) : pixelsOf(drawing);
}
