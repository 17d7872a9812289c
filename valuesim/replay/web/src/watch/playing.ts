// Playing an episode: its speed, its keys, and the stop at its end.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export const SPEEDS = [0.5, 1, 2, 4, 8];

export interface Playing {
  isOn: boolean;
  speed: number;
  toggle: () => void;
  setSpeed: (speed: number) => void;
  /** Stop, and go to the step at `index`, or the nearest there is. */
  seek: (index: number) => void;
}

export function usePlaying(index: number, steps: number, setIndex: (index: number) => void): Playing {
  const [isOn, setOn] = useState(false);
  const [speed, setSpeed] = useState(1);
  const last = steps - 1;
  useEffect(() => {
    if (!isOn) return;
    if (index >= last) return setOn(false);
    const next = setTimeout(() => setIndex(index + 1), 1000 / speed);
    return () => clearTimeout(next);
  }, [isOn, index, speed, last]);
  const toggle = () => {
    if (!isOn && index >= last) setIndex(0);
    setOn(!isOn && last > 0);
  };
  const seek = (to: number) => {
    setOn(false);
    setIndex(Math.min(last, Math.max(0, to)));
  };
  useKeys({ index, last, toggle, seek });
  return { isOn, speed, toggle, setSpeed, seek };
}

interface Keys {
  index: number;
  last: number;
  toggle: () => void;
  seek: (index: number) => void;
}

function useKeys(keys: Keys): void {
  const now = useRef(keys);
  now.current = keys;
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const { index, last, toggle, seek } = now.current;
      const target = event.target as HTMLElement;
      // what takes the key itself keeps it: a list its arrows, a button its space; the scrubber's own arrows do the same
      if (target.closest("select, textarea, input:not([type=range])")) return;
      if (event.key === " ") {
        if (target.closest("button, summary, a")) return;
        toggle();
      } else if (event.key === "ArrowRight") seek(index + 1);
      else if (event.key === "ArrowLeft") seek(index - 1);
      else if (event.key === "Home") seek(0);
      else if (event.key === "End") seek(last);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
