// A play in progress: a branch or a game that the viewer plays, and the person it asks.
import { useEffect, useState } from "preact/hooks";
import { asked, followed } from "../api";
import { BranchProgress } from "../branch/progress";
import type { Play } from "../branch/contract";

export function PlayPage({ id }: { id: string }) {
  const [play, setPlay] = useState<Play | null>(null);
  useEffect(() => {
    void asked<{ play: Play }>(`/api/plays/${encodeURIComponent(id)}`).then((answer) => setPlay(answer.play));
    return followed(`/api/plays/${encodeURIComponent(id)}/events`, ["play"], (_, told) => setPlay(told as Play));
  }, [id]);
  return play && <BranchProgress play={play} />;
}
