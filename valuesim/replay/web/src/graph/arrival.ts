// Goes to what was chosen on a long page, and back to where it was chosen.
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** What begins below this share of the screen is not seen to be there. */
const LOW = 0.75;

/** Return the place that is gone to whenever `chosen` is another one, and what goes back from there. */
export function useArrival(chosen: string): { place: RefObject<HTMLElement | null>; leave: () => void } {
  const place = useRef<HTMLElement>(null);
  const from = useRef<Element | null>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    const element = place.current;
    const at = document.activeElement;
    // who comes back to the page is nowhere yet; who changes something else meanwhile is left there
    const isNowhere = at === null || at === document.body || at.tagName === "MAIN";
    const isOn = isFirst.current && !isNowhere && at.closest(".graph-svg, .graph-table, .graph-flags") === null;
    isFirst.current = false;
    if (!element || isOn) return;
    if (!isNowhere && !element.contains(at)) from.current = at;
    element.focus({ preventScroll: true });
    const { top } = element.getBoundingClientRect();
    if (top < 0 || top > innerHeight * LOW) element.scrollIntoView({ block: "start" });
  }, [chosen]);
  const leave = () => {
    const last = from.current;
    if (last?.isConnected && (last instanceof HTMLElement || last instanceof SVGElement)) last.focus();
    else document.querySelector("main")?.focus({ preventScroll: true });
  };
  return { place, leave };
}
