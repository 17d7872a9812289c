// What can be done with the moment that is looked at.
import { blindLink, branchLink } from "../route";
import { Share } from "../share/share";
import { isShared } from "../shared";
import type { Episode } from "../types";

export function Actions({ episode, step, role }: { episode: Episode; step: number; role: string }) {
  if (isShared) return null;
  const place = [episode.run, episode.episode, step, role] as const;
  return (
    <p class="actions">
      <a href={branchLink(...place)}>Branch here</a>
      <a href={blindLink(...place)}>Judge blind</a>
      <Share episode={episode} step={step} role={role} />
    </p>
  );
}
