// Answers that take long: the server says how far it is, and is asked again until it is done.
import { useEffect, useState } from "preact/hooks";
import { asked, Refused } from "../api";

const AGAIN_MS = 400;
const STALE_MS = 3_000;

interface Pending {
  pending: true;
  progress: { [done: string]: number };
}

export interface Worked<Answer> {
  answer: Answer | null;
  error: Refused | null;
  /** How much of what is done, while it is worked out. */
  progress: { [done: string]: number } | null;
}

const NOTHING = { answer: null, error: null, progress: null };

/** Ask for `path` until it is answered; null asks nothing. Another path begins anew, another edition keeps what is shown. */
export function useWorked<Answer extends object>(path: string | null, edition = ""): Worked<Answer> {
  const [state, setState] = useState<Worked<Answer> & { path: string | null }>({ ...NOTHING, path: null });
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    let next = 0;
    const again = () => {
      asked<Answer | Pending>(path, stop.signal).then(
        (told) => {
          if (stop.signal.aborted) return;
          if ("pending" in told) {
            setState((before) => ({ ...(before.path === path ? before : NOTHING), progress: told.progress, path }));
            next = setTimeout(again, AGAIN_MS);
          } else {
            setState({ answer: told, error: null, progress: null, path });
            // a log has changed meanwhile: it is worked out anew, and shown as it was until then
            if ("is_stale" in told && told.is_stale) next = setTimeout(again, STALE_MS);
          }
        },
        (error: unknown) => {
          if (!stop.signal.aborted) setState({ ...NOTHING, error: error instanceof Refused ? error : new Refused(String(error), 0), path });
        },
      );
    };
    again();
    return () => {
      stop.abort();
      clearTimeout(next);
    };
  }, [path, edition]);
  return state.path === path ? state : NOTHING;
}
