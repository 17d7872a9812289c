// The options as they were offered, the one taken marked, with their stakes as signed bars.
import { Passage, Text } from "../text";
import type { Json, Moment, OptionShown } from "../types";
import { optionsShown } from "../scenes/reading";
import { figure, isBare, own, said } from "../words";

export function Options({ moment }: { moment: Moment }) {
  const { options, left } = optionsShown(moment);
  const largest = Math.max(1e-9, ...options.flatMap((option) => Object.values(option.stakes).map(Math.abs)));
  return (
    <ol class="options">
      {options.map((option) => (
        <Option key={option.name} option={option} moment={moment} largest={largest} />
      ))}
      {left > 0 && <li class="muted">and {left.toLocaleString("en")} more</li>}
    </ol>
  );
}

function Option({ option, moment, largest }: { option: OptionShown; moment: Moment; largest: number }) {
  const isTaken = option.name === moment.chosen;
  const likely = own(moment.probabilities ?? {}, option.name);
  return (
    <li class={isTaken ? "taken" : ""}>
      <h4>
        <Text most={120}>{option.name}</Text>
        {isTaken && <span class="badge"> taken</span>}
        {likely !== undefined && <span class="muted"> p = {figure(likely)}</span>}
        {option.tags.map((tag) => (
          <span key={tag} class="tag">
            <Text most={40}>{tag}</Text>
          </span>
        ))}
      </h4>
      {option.text && <OptionText text={option.text} name={option.name} />}
      {!isBare(option.arguments) && (
        <p class="muted small-text">
          takes <Text most={600}>{taken(option.arguments)}</Text>
        </p>
      )}
      <Stakes stakes={option.stakes} largest={largest} />
    </li>
  );
}

/** Return what an option takes, by name: one of some names, an amount within bounds, or a text. */
function taken(takes: Json): string {
  if (typeof takes !== "object" || takes === null || Array.isArray(takes)) return said(takes);
  return Object.entries(takes)
    .map(([name, kind]) => `${name} (${kindOf(kind)})`)
    .join(", ");
}

function kindOf(kind: Json): string {
  if (typeof kind === "number") return `text, up to ${kind} characters`;
  if (!Array.isArray(kind)) return said(kind);
  const [low, high] = kind;
  return kind.length === 2 && typeof low === "number" ? `${said(low)} to ${said(high)}` : kind.map(said).join(", ");
}

const SHORT = 600;

function OptionText({ text, name }: { text: string; name: string }) {
  if (text.length > SHORT) return <Passage text={text} label={`Text of ${name}`} />;
  return (
    <p>
      <Text most={SHORT}>{text}</Text>
    </p>
  );
}

function Stakes({ stakes, largest }: { stakes: OptionShown["stakes"]; largest: number }) {
  const told = Object.entries(stakes);
  if (told.length === 0) return null;
  return (
    <dl class="stakes">
      {told.map(([value, stake]) => (
        <div key={value}>
          <dt>
            <Text most={60}>{value}</Text>
          </dt>
          <dd>
            <span class="signed" aria-hidden="true">
              <i class={stake < 0 ? "minus" : "plus"} style={{ width: `${(Math.abs(stake) / largest) * 50}%` }} />
            </span>
            <span class="amount">{stake > 0 ? `+${figure(stake)}` : figure(stake).replace("-", "−")}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
