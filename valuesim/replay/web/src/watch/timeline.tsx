// The timeline: a scrubber with a mark wherever something failed or harmed, play, steps and speed.
import { useMemo } from "preact/hooks";
import type { Episode } from "../types";
import { count, figure } from "../words";
import { marksOf, type Mark } from "./marks";
import { SPEEDS, type Playing } from "./playing";

const MOST_MARKS = 400;

interface TimelineProps {
  episode: Episode;
  index: number;
  playing: Playing;
}

export function Timeline({ episode, index, playing }: TimelineProps) {
  const last = episode.steps.length - 1;
  const marks = useMemo(() => marksOf(episode), [episode]);
  const step = episode.steps[index]?.step ?? 0;
  return (
    <section class="timeline" aria-label="Timeline">
      <div class="controls">
        <button type="button" aria-label="First step" disabled={index === 0} onClick={() => playing.seek(0)}>
          <Icon name="first" />
        </button>
        <button type="button" aria-label="Previous step" disabled={index === 0} onClick={() => playing.seek(index - 1)}>
          <Icon name="previous" />
        </button>
        <button type="button" class="play" disabled={last === 0} onClick={playing.toggle}>
          <Icon name={playing.isOn ? "pause" : "play"} /> {playing.isOn ? "Pause" : "Play"}
        </button>
        <button type="button" aria-label="Next step" disabled={index === last} onClick={() => playing.seek(index + 1)}>
          <Icon name="next" />
        </button>
        <button type="button" aria-label="Last step" disabled={index === last} onClick={() => playing.seek(last)}>
          <Icon name="last" />
        </button>
        <label class="speed">
          <span class="unseen">Speed</span>
          <select value={String(playing.speed)} onChange={(event) => playing.setSpeed(Number(event.currentTarget.value))}>
            {SPEEDS.map((speed) => (
              <option key={speed} value={String(speed)}>
                {speed}×
              </option>
            ))}
          </select>
        </label>
        <span class="where">
          step {figure(step)} <span class="muted">({figure(index + 1)} of {figure(last + 1)})</span>
        </span>
      </div>
      <div class="track">
        <input
          type="range"
          min={0}
          max={last}
          value={index}
          disabled={last === 0}
          aria-label="Step"
          aria-valuetext={`step ${step}, ${index + 1} of ${last + 1}`}
          onInput={(event) => playing.seek(Number(event.currentTarget.value))}
        />
        <Marks marks={marks} last={last} />
      </div>
      <Key marks={marks} />
    </section>
  );
}

const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  previous: "M11 3v10L4 8z",
  play: "M4 2.5v11L13 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  next: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
};

function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

function Marks({ marks, last }: { marks: Mark[]; last: number }) {
  // of a long episode the marks of neighbouring steps fall together
  const placed = new Map(marks.map((mark) => [`${mark.kind}${Math.round((mark.index / Math.max(1, last)) * MOST_MARKS)}`, mark]));
  return (
    <div class="marks" aria-hidden="true">
      {[...placed].map(([key, mark]) => (
        <i key={key} class={mark.kind} style={{ left: `${(mark.index / Math.max(1, last)) * 100}%` }} />
      ))}
    </div>
  );
}

function Key({ marks }: { marks: Mark[] }) {
  const of = (kind: Mark["kind"]) => marks.filter((mark) => mark.kind === kind).length;
  const told = [
    ["fault", of("fault"), "with a fault"],
    ["harm", of("harm"), "with a harmful or risky act"],
  ] as const;
  return (
    <p class="key muted">
      {told
        .filter(([, n]) => n > 0)
        .map(([kind, n, what]) => (
          <span key={kind}>
            <i class={kind} aria-hidden="true" /> {count(n, "step")} {what}
          </span>
        ))}
      <span class="keys">
        <kbd>Space</kbd> play · <kbd>←</kbd> <kbd>→</kbd> step · <kbd>Home</kbd> <kbd>End</kbd>
      </span>
    </p>
  );
}
