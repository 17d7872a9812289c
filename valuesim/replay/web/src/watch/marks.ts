// What the timeline marks: steps with faults, and steps in which somebody did what harms.
import type { Episode, Moment } from "../types";

export interface Mark {
  /** Index of the step. */
  index: number;
  kind: "fault" | "harm";
}

const HARMS = new Set(["transgression", "risk"]);

export function isHarm(moment: Moment): boolean {
  const taken = moment.options.find((option) => option.name === moment.chosen);
  return taken?.tags.some((tag) => HARMS.has(tag)) ?? false;
}

export function marksOf(episode: Episode): Mark[] {
  return episode.steps.flatMap((step, index) => {
    const marks: Mark[] = [];
    if (step.moments.some((moment) => moment.fault !== null)) marks.push({ index, kind: "fault" });
    if (step.moments.some(isHarm)) marks.push({ index, kind: "harm" });
    return marks;
  });
}
