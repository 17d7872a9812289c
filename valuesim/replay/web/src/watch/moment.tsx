// One decision: what was decided, between what, at what stakes, and every text around it.
import { originOf } from "../branch/said";
import { episodeLink } from "../route";
import { Text } from "../text";
import type { Episode, Moment, Step, Table } from "../types";
import { figure, isBare, own, said, seconds } from "../words";
import { isHarm } from "./marks";
import { Options } from "./options";
import { Facts, withPayoff } from "./facts";
import { Sayings, Section, Texts } from "./texts";

interface MomentPanelProps {
  episode: Episode;
  step: Step;
  role: string;
  onRole: (role: string) => void;
}

export function MomentPanel({ episode, step, role, onRole }: MomentPanelProps) {
  const moment = step.moments.find((each) => each.role === role);
  return (
    <div class="moment" id="moment" role="tabpanel" aria-label={`Decision of ${role}`}>
      {moment ? <Decided episode={episode} step={step.step} moment={moment} /> : <Idle step={step} role={role} onRole={onRole} />}
    </div>
  );
}

function Idle({ step, role, onRole }: Omit<MomentPanelProps, "episode">) {
  const first = step.moments[0];
  return (
    <p class="note">
      <Text most={60}>{role}</Text> was not asked at step {step.step}.{" "}
      {first && (
        <button type="button" class="small" onClick={() => onRole(first.role)}>
          Show <Text most={40}>{first.role}</Text>, who decided
        </button>
      )}
    </p>
  );
}

interface DecidedProps {
  episode: Episode;
  step: number;
  moment: Moment;
}

function Decided({ episode, step, moment }: DecidedProps) {
  return (
    <>
      <Verdict episode={episode} step={step} moment={moment} />
      <Sayings moment={moment} />
      <Section id="options" title="Options" note={`${moment.options.length} offered`}>
        <Options moment={moment} />
      </Section>
      <Texts episode={episode} moment={moment} />
      <Section id="outcome" title="What came of it" isClosed isLeftOut={isBare(moment.effect) && isBare(moment.payoff)}>
        <Facts table={withPayoff(moment)} />
      </Section>
      <Section id="view" title="What the log holds of the view" isClosed isLeftOut={isBare(moment.view) && isBare(moment.annotations)}>
        <Facts table={moment.view} />
        <h4>Annotations</h4>
        <Facts table={moment.annotations} />
      </Section>
    </>
  );
}

function Verdict({ episode, step, moment }: DecidedProps) {
  const player = own(episode.population, moment.role);
  return (
    <div class={`verdict${moment.fault ? " is-fault" : isHarm(moment) ? " is-harm" : ""}`}>
      <p class="muted">
        <Text most={60}>{moment.role}</Text>
        {player && (
          <>
            {" · "}
            <Text most={60}>{player.model ?? player.agent}</Text>
          </>
        )}
        <a class="here" href={episodeLink(episode.run, episode.episode, step, moment.role)}>
          link<span class="unseen"> to this decision</span>
        </a>
      </p>
      {moment.inherited && <p class="muted">{originOf(episode.parent ? [episode.parent] : [], step, moment.role)}</p>}
      {moment.fault === null ? <Chosen moment={moment} /> : <Faulty moment={moment} />}
      <Puts moment={moment} />
      <Cost moment={moment} />
    </div>
  );
}

function Chosen({ moment }: { moment: Moment }) {
  const given = Object.entries(moment.arguments ?? {});
  return (
    <>
      <h2>
        <Text most={120}>{moment.chosen ?? "(nothing)"}</Text>
      </h2>
      {given.length > 0 && <Facts table={moment.arguments} />}
    </>
  );
}

function Faulty({ moment }: { moment: Moment }) {
  return (
    <>
      <h2 class="faulty">
        Fault: <Text most={60}>{moment.fault ?? ""}</Text>
      </h2>
      <p>
        {moment.fault_detail && <Text most={2000}>{moment.fault_detail}</Text>} <span class="muted">No option was taken; a fault counts as no choice.</span>
      </p>
    </>
  );
}

function Puts({ moment }: { moment: Moment }) {
  if (moment.puts.length === 0) return moment.fault ? null : <p class="muted">It puts no value before another.</p>;
  return (
    <ul class="puts" aria-label="What it puts first">
      {moment.puts.map((put) => (
        <li key={`${put.over}>${put.under}`}>
          <strong>
            <Text most={60}>{put.over}</Text>
          </strong>{" "}
          over <Text most={60}>{put.under}</Text>
          {moment.puts.length > 1 && <span class="muted"> {figure(put.share)}</span>}
        </li>
      ))}
    </ul>
  );
}

function Cost({ moment }: { moment: Moment }) {
  const told = [
    ...tokens(moment.usage),
    ...(moment.latency ? [seconds(moment.latency)] : []),
    ...(moment.attempts > 1 ? [`${moment.attempts} attempts`] : []),
  ];
  return told.length ? <p class="muted cost">{told.join(" · ")}</p> : null;
}

function tokens(usage: Table | null): string[] {
  return Object.entries(usage ?? {})
    .filter(([, n]) => typeof n === "number" && n > 0)
    .map(([name, n]) => `${said(n)} ${name.replace(/_/g, " ")}`);
}

