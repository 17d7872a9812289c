// What was chosen, shown once it was judged unseen.
import { Passage, Text } from "../text";
import { Facts } from "../watch/facts";
import { isBare } from "../words";
import type { BlindMoment, Revealed } from "./judging";

export function Reveal({ revealed, judged }: { revealed: Revealed; judged: BlindMoment["judged"] }) {
  const own = judged?.answer?.option;
  return (
    <div class={`verdict${revealed.fault ? " is-fault" : ""}`}>
      {revealed.fault === null ? (
        <h2>
          It took <Text most={120}>{revealed.chosen ?? "(nothing)"}</Text>
        </h2>
      ) : (
        <>
          <h2 class="faulty">
            Nothing was chosen: <Text most={60}>{revealed.fault}</Text>
          </h2>
          <p class="muted">
            {revealed.fault_detail && <Text most={600}>{revealed.fault_detail}</Text>} A fault is no choice: this moment counts neither as agreement nor as
            disagreement.
          </p>
        </>
      )}
      {own !== undefined && (
        <p>
          You said <Text most={120}>{own}</Text>
          {revealed.fault === null && (own === revealed.chosen ? ": the same." : ": another one.")}
        </p>
      )}
      {!isBare(revealed.arguments) && <Facts table={revealed.arguments} />}
      <Said title="Its reasons" text={revealed.rationale} />
      <Said title="What it said to the others" text={revealed.message} />
      <Said title="Its reply, as it came" text={revealed.reply} isClosed />
    </div>
  );
}

function Said({ title, text, isClosed = false }: { title: string; text: string | null; isClosed?: boolean }) {
  if (!text) return null;
  return (
    <details class="section" open={!isClosed}>
      <summary>{title}</summary>
      <Passage text={text} label={title} />
    </details>
  );
}
