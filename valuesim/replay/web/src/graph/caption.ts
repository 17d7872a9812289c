// What a saved picture of values says below it: whose choices, how many, and how many were none.
import { count, figure } from "../words";
import type { Group } from "./types";

/** Return on what the figures of a group rest, and that no ranking holds where none does. */
export function restingOn(group: Group): string[] {
  const faults = group.fault_rate === null ? "nothing was decided" : `${figure(100 * group.fault_rate)} % faults, which count as no choice`;
  const lost = Object.values(group.interrupted).reduce((sum, n) => sum + n, 0);
  const told = `${group.name}: ${count(group.decisions, "decision")} in ${count(group.episodes, "episode")}, ${count(group.contested, "contested choice")} in ${count(group.clusters, group.unit)}; ${faults}${lost > 0 ? `; ${count(lost, "interrupted episode")} not counted` : ""}.`;
  return group.coherent ? [told] : [told, `Undetermined: no coherent ranking (${group.coherence.reason}); the order is not to be relied on.`];
}
