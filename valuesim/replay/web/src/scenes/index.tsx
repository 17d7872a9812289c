// What stands beside a moment: the scene of its environment's family.
import "./scenes.css";

import type { ComponentType } from "preact";

import type { Episode, SceneProps } from "../types";
import { Dilemma } from "./dilemma";
import { Plain } from "./fallback";
import { Game } from "./games";
import { MoralMachine } from "./moral_machine";
import { Question } from "./questionnaire";
import { field, gameOf, tableOf, textOf } from "./reading";
import { Survival } from "./survival";

const SCENES = new Map<string, ComponentType<SceneProps>>([
  ["survival", Survival],
  ["moral_machine", MoralMachine],
  ["dilemmas", Dilemma],
  ["questionnaire", Question],
]);

/** The scene of step `step` (its place in `episode.steps`), looked at by `role`. */
export function Scene(props: SceneProps) {
  const Family = SCENES.get(gameOf(props.episode)) ?? (isGame(props.episode) ? Game : Plain);
  return <Family {...props} />;
}

/** Whether the views name a game, as those of every strategic game do. */
function isGame(episode: Episode): boolean {
  const view = tableOf(episode.steps[0]?.moments[0]?.view);
  return textOf(field(view, "game")) !== null && Object.hasOwn(view, "phase");
}
