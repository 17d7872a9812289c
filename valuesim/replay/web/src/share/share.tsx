// What shares an episode, or two side by side, as one file that opens offline.
import { useState } from "preact/hooks";
import * as api from "../api";
import { isShared } from "../shared";
import { Text } from "../text";
import type { Episode } from "../types";
import { bytes, keep } from "./keeping";

interface ShareProps {
  episode: Episode;
  /** The episode that it is compared with. */
  other?: Episode;
  /** Where the file opens. */
  step?: number;
  role?: string;
}

type State = { at: "idle" } | { at: "making" } | { at: "saved"; told: string } | { at: "failed"; told: string };

export function Share({ episode, other, step, role }: ShareProps) {
  const [state, setState] = useState<State>({ at: "idle" });
  // one that is still being played is not whole: it is shared when it has ended
  const isLive = "live" in episode && episode.live === true;
  if (isShared || isLive) return null;
  const save = async () => {
    setState({ at: "making" });
    try {
      const { content, name } = await api.saved(addressOf(episode, other, step, role));
      keep(content, name);
      setState({ at: "saved", told: `${name}, ${bytes(content.size)}, opens offline` });
    } catch (error) {
      setState({ at: "failed", told: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <span class="share">
      <button type="button" class="small" disabled={state.at === "making"} onClick={() => void save()}>
        Save as one file
      </button>
      <span class={state.at === "failed" ? "faulty" : "muted"} role="status">
        {state.at === "making" && "Making it…"}
        {"told" in state && <Text most={1000}>{state.told}</Text>}
      </span>
    </span>
  );
}

function addressOf(episode: Episode, other?: Episode, step?: number, role?: string): string {
  const parts = [episode, ...(other ? [other] : [])].flatMap((each) => [each.run, each.episode]);
  const query = new URLSearchParams();
  if (step !== undefined) query.set("step", String(step));
  if (role) query.set("role", role);
  const told = query.toString();
  return `/api/share/${parts.map(encodeURIComponent).join("/")}${told ? `?${told}` : ""}`;
}
