// A picture that can be taken away as SVG or PNG.
import type { ComponentChildren } from "preact";

interface PictureProps {
  /** The name of its file, without an ending: letters, digits, "-" and "_" are kept. */
  name: string;
  /** What it shows, in words. */
  label: string;
  children: ComponentChildren;
}

export function Picture({ children }: PictureProps) {
  return <>{children}</>;
}
