// How far the server is with what takes long.
import { count } from "../words";

export function Waiting({ progress }: { progress: { [done: string]: number } | null }) {
  return (
    <p class="muted" role="status">
      Working it out… {told(progress ?? {})}
    </p>
  );
}

function told({ read = 0, of = 0, ranked = 0, groups = 0, waits = 0 }: { [done: string]: number }): string {
  if (waits) return "another question comes first";
  if (groups) return `${count(of, "decision")} read, ${ranked} of ${count(groups, "group")} done`;
  if (read) return `${read.toLocaleString("en")} of ${count(of, "decision")} read`;
  return of ? `${count(of, "decision")} to read` : "";
}
