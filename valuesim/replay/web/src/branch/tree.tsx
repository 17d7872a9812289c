// The branches that leave an episode, as a tree; nothing where there are none.
import type { Episode } from "../types";

export function Branches(_: { episode: Episode }) {
  return null;
}
