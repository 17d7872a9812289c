// Which step is looked at: of an episode that is being played the newest, until the reader goes back.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Episode } from "../types";

export interface Newest {
  index: number;
  setIndex: (index: number) => void;
  isFollowing: boolean;
  follow: (follows: boolean) => void;
}

export function useNewest(episode: Episode, step: number | null): Newest {
  const last = Math.max(0, episode.steps.length - 1);
  const atFirst = indexOf(episode, step);
  // a link to a decision leads there; one to the episode, or to its newest step, follows on
  const [isFollowing, setFollowing] = useState(() => episode.live === true && (step === null || atFirst === last));
  const [index, setPlace] = useState(() => (isFollowing ? last : atFirst));
  const isFirst = useRef(true);
  useEffect(() => {
    // the address was changed by hand, or by going back
    if (!isFirst.current) setPlace(indexOf(episode, step));
    isFirst.current = false;
  }, [step]);
  useEffect(() => {
    if (isFollowing && episode.live) setPlace(last);
  }, [last, isFollowing]);
  const setIndex = (to: number) => {
    setPlace(to);
    setFollowing(to >= last);
  };
  const follow = (follows: boolean) => {
    setFollowing(follows);
    if (follows) setPlace(last);
  };
  return { index: Math.min(index, last), setIndex, isFollowing, follow };
}

/** Return the index of `step`, or of the last one before it: steps without a decision are not listed. */
function indexOf(episode: Episode, step: number | null): number {
  if (step === null) return 0;
  return Math.max(0, episode.steps.findLastIndex((each) => each.step <= step));
}
