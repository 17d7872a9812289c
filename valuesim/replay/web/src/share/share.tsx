// What shares an episode, or two side by side, as one file that opens offline.
import type { Episode } from "../types";

export function Share(_: { episode: Episode; other?: Episode }) {
  return null;
}
