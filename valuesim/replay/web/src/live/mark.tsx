// What is said of an episode that is being played, was cut off, or has just ended; and whether the newest is followed.
import { Text } from "../text";
import type { Episode } from "../types";
import type { Following } from "./episode";

interface LiveMarkProps {
  episode: Episode;
  following: Following;
  refused: string | null;
  isFollowing: boolean;
  onFollow: (follows: boolean) => void;
}

export function LiveMark({ episode, following, refused, isFollowing, onFollow }: LiveMarkProps) {
  if (following === "no") return null;
  return (
    <div class={`live-mark is-${following.replace(" ", "-")}`}>
      <p role="status">
        <Said episode={episode} following={following} refused={refused} />
      </p>
      {(following === "live" || following === "lost") && (
        <label class="follow">
          <input type="checkbox" checked={isFollowing} onChange={(event) => onFollow(event.currentTarget.checked)} />
          follow the newest
        </label>
      )}
    </div>
  );
}

function Said({ episode, following, refused }: Pick<LiveMarkProps, "episode" | "following" | "refused">) {
  if (following === "live") return <><strong class="live-sign">live</strong> This episode is being played.</>;
  if (following === "lost" && refused !== null) {
    return <><strong class="live-sign">lost</strong> The viewer no longer tells this episode: <Text most={400}>{refused}</Text> It is asked again and again.</>;
  }
  if (following === "lost") return <><strong class="live-sign">lost</strong> The viewer's server does not answer: it is asked again and again.</>;
  if (following === "ended") return <><strong class="live-sign">finished</strong> The episode has ended; it is now as any other.</>;
  return (
    <>
      <strong class="live-sign">cut off</strong> What was played does not count: <Text most={400}>{episode.interrupted ?? "no reason is told"}</Text>
    </>
  );
}
