// The scene: one that cannot be drawn leaves the texts beside it alone. It is not made anew at each step, so that what
// moves in it can be seen to move.
import { Guard } from "../guard";
import { Scene } from "../scenes";
import type { SceneProps } from "../types";

export function Stage(props: SceneProps) {
  return (
    <Guard at={String(props.step)} failed="This step could not be drawn; the texts beside it are those of the log">
      <Scene {...props} />
    </Guard>
  );
}
