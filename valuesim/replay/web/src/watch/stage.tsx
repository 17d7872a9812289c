// The scene: one that cannot be drawn leaves the texts beside it alone. It is not made anew at each step, so that what
// moves in it can be seen to move.
import { Guard } from "../guard";
import { Scene } from "../scenes";
import { Picture } from "../share/picture";
import type { SceneProps } from "../types";

export function Stage(props: SceneProps) {
  const { episode, step } = props;
  const now = episode.steps[step]?.step ?? 0;
  return (
    <Guard at={String(props.step)} failed="This step could not be drawn; the texts beside it are those of the log">
      <Picture name={`${episode.env}-${episode.episode}-step-${now}`} label={`${episode.env}, step ${now}`} caption={[`${episode.env}, step ${now} of episode ${episode.episode} of run ${episode.run_name}.`]}>
        <Scene {...props} />
      </Picture>
    </Guard>
  );
}
