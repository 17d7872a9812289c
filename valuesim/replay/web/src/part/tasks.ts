// What a person may be asked of a moment.
import type { Task } from "./judging";

export interface TaskTold {
  task: Task;
  question: string;
  told: string;
  after: string;
}

export const TASKS: TaskTold[] = [
  { task: "decide", question: "What would you do?", told: "Your choices are ranked as those of an agent are.", after: "Now that you have seen it: what would you do?" },
  { task: "guess", question: "What did it do?", told: "A guess is kept as a guess, never as a choice.", after: "How surprised are you?" },
  { task: "rate", question: "How right is each option?", told: "From 1, wrong, to 7, right.", after: "Now that you have seen it: how right is each option?" },
];

export function taskOf(task: Task): TaskTold {
  return TASKS.find((each) => each.task === task) as TaskTold;
}
