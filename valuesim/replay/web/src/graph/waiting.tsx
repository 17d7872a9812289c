// How far the server is with what takes long.
import { count } from "../words";

export function Waiting({ progress }: { progress: { [done: string]: number } | null }) {
  const read = progress?.["read"] ?? 0;
  const ranked = progress?.["ranked"] ?? 0;
  const done = [...(read ? [`${read.toLocaleString("en")} decisions read`] : []), ...(ranked ? [`${count(ranked, "group")} done`] : [])];
  return (
    <p class="muted" role="status">
      Working it out… {done.join(", ")}
    </p>
  );
}
