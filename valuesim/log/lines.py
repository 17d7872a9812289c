"""What one line of each log file holds (schema 1), as plain JSON mappings with sorted keys.

- `decisions.jsonl`: one decision: what was seen, what was answered, what came of it, when.
- `episodes.jsonl`: one finished episode: its condition, who played, outcome, measures, faults.
- `interrupted.jsonl`: one play of an episode that did not finish, and why.
- `inherited.jsonl`, in a branch alone: decisions of its parent, as those of `decisions.jsonl`.
- `texts.jsonl`: the texts of rules, options and additions, once each, by their hash.

What an agent was shown is rebuilt from these alone. A key is left out of a decision where there is
nothing to say: tries, attempted, schema_break, added, interventions, labellings, probabilities and
unaccounted; so is a usage's
cached_tokens, and of an episode its place in the plan (place), the chain it stands in and what it
carries on (chain, carried), and where it leaves another one (fork). See `options` for those of an
option.

Whatever differs between two identical runs (times) stands under the key "time" alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from valuesim.decision import Addition, Decision, Labelling, Try, Usage
from valuesim.episode import Aftermath, EpisodeSpec, Turn
from valuesim.log.options import option_line, text_id
from valuesim.option import Option, PerOption

if TYPE_CHECKING:
    from valuesim.env import Environment, Observation

SCHEMA = 1

# why the play of a finished episode is void
AGAIN = "an earlier episode of its chain is played again"
LOST = "decisions of this episode were lost"
GONE = "the worker that played this episode was lost"

Line = dict[str, Any]


def encode(line: Mapping[str, Any]) -> bytes:
    """Return `line` as one line of JSON, keys sorted, newline included."""
    return orjson.dumps(
        line,
        option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY,
        default=_encode_set,
    )


def texts_of(turn: Turn) -> dict[str, str]:
    """Return the texts that the lines of one step name by their hash, by that hash."""
    texts = []
    for seen in turn.observations.values():
        texts += [seen.rules, *(option.text for option in seen.options if option.text)]
    for decision in turn.decisions.values():
        texts += [addition.text for addition in decision.added]
    return {text_id(text): text for text in texts}


def decision_lines(episode: str, play: int, turn: Turn, at: str) -> list[Line]:
    """Return the lines of one step, one per agent, in the turn's order; `at` is an ISO time."""
    return [_decision_line(episode, play, turn, agent, at) for agent in turn.observations]


def _decision_line(episode: str, play: int, turn: Turn, agent: str, at: str) -> Line:
    decision = turn.decisions[agent]
    return {
        "schema": SCHEMA,
        "episode": episode,
        "play": play,
        "step": decision.step,
        "agent": agent,
        "observation": observation_line(turn.observations[agent]),
        "decision": _decision(decision),
        "effect": turn.effects.get(agent, {}),
        "payoff": turn.payoffs.get(agent, 0.0),
        "time": {"at": at, "latency": decision.latency},
    }


def _decision(decision: Decision) -> Line:
    line: Line = {
        "option": decision.option,
        "arguments": dict(decision.arguments),
        "message": decision.message,
        "rationale": decision.rationale,
        "fault": decision.fault,
        "fault_detail": decision.fault_detail,
        "reply": decision.reply,
        "attempts": decision.attempts,
        "usage": _usage(decision.usage),
    }
    if decision.tries:
        line["tries"] = [_try(each) for each in decision.tries]
    if decision.added:
        line["added"] = [_addition(each) for each in decision.added]
    if decision.interventions:
        line["interventions"] = decision.interventions
    if decision.labellings:
        line["labellings"] = [_labelling(each) for each in decision.labellings]
    if decision.probabilities:
        line["probabilities"] = decision.probabilities
    if decision.unaccounted is not None:
        line["unaccounted"] = decision.unaccounted
    return line | _of_attempt(decision)


def _usage(usage: Usage) -> Line:
    line: Line = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }
    return line | ({"cached_tokens": usage.cached_tokens} if usage.cached_tokens else {})


def _labelling(labelling: Labelling) -> Line:
    line: Line = {"labels": labelling.labels}
    return line if labelling.found is None else line | {"found": labelling.found}


def _addition(addition: Addition) -> Line:
    return {"by": addition.by, "place": addition.place, "text": text_id(addition.text)}


def _try(tried: Try) -> Line:
    line: Line = {"reply": tried.reply, "fault": tried.fault, "detail": tried.detail}
    return line | _of_attempt(tried)


def _of_attempt(attempt: Decision | Try) -> Line:
    line: Line = {}
    if attempt.attempted is not None:
        line["attempted"] = attempt.attempted
    if attempt.schema_break:
        line["schema_break"] = True
    return line


def observation_line(seen: Observation) -> Line:
    """Return what a decision's line holds of what was seen."""
    return {
        "rules": text_id(seen.rules),
        "text": seen.text,
        "options": [_option(option) for option in seen.options],
        "view": seen.view,
        "annotations": seen.annotations,
    }


def _encoded(option: Option) -> orjson.Fragment:
    return orjson.Fragment(encode(option_line(option)).rstrip(b"\n"))


_option = PerOption(_encoded)


def episode_line(
    spec: EpisodeSpec,
    env: Environment,
    turns: Sequence[Turn],
    left: Aftermath,
    place: int | None = None,
) -> Line:
    """Return the line of a finished episode; it holds no time, so that equal runs are equal.

    What looking back on it cost counts as the episode's. `place` is its own in the plan, from 0.
    Of one that leaves another one its own decisions count; all else is of the whole of it.
    """
    decisions = [made for turn in turns for made in own_part(spec, turn).decisions.values()]
    faults = Counter(str(d.fault) for d in decisions if d.fault is not None)
    line: Line = {
        "schema": SCHEMA,
        "episode": spec.id,
        "env": env.id,
        "parameters": spec.parameters,
        "condition": env.condition,
        "population": spec.population,
        "elicitation": spec.elicitation,
        "seed": spec.seed,
        "steps": len(turns),
        "outcome": {"payoffs": _payoffs(turns)},
        "measures": env.measure(turns),
        "decisions": len(decisions),
        "faults": dict(faults),
        "usage": _usage(sum((d.usage for d in decisions), start=left.usage)),
    }
    if left.carried:
        line["carried"] = left.carried
    if place is not None:
        line["place"] = place
    return line | _links(spec)


def own_part(spec: EpisodeSpec, turn: Turn) -> Turn:
    """Return `turn` with the decisions that are the episode's own.

    Where it leaves another one, those before are not, nor are those that are given there.
    """
    fork = spec.fork
    steps = {seen.step for seen in turn.observations.values()}
    if fork is None or not steps or (step := steps.pop()) > fork.step:
        return turn
    own = {
        role: seen
        for role, seen in turn.observations.items()
        if step == fork.step and role in fork.deciding(turn.observations)
    }
    return replace(turn, observations=own, decisions={role: turn.decisions[role] for role in own})


def _links(spec: EpisodeSpec) -> Line:
    """Return what an episode's line says of other episodes."""
    line: Line = {} if spec.chain is None else {"chain": spec.chain}
    return line if spec.fork is None else line | {"fork": spec.fork}


def _payoffs(turns: Sequence[Turn]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for turn in turns:
        for agent, payoff in turn.payoffs.items():
            totals[agent] = totals.get(agent, 0.0) + payoff
    return totals


def interrupted_line(
    spec: EpisodeSpec, condition: Mapping[str, Any] | None, play: int, reason: str, at: str
) -> Line:
    """Return the line of a play that did not finish, and why; `condition` is None if unknown."""
    line: Line = {
        "schema": SCHEMA,
        "episode": spec.id,
        "play": play,
        "reason": reason,
        "env": spec.env,
        "condition": condition,
        "elicitation": spec.elicitation,
        "population": spec.population,
        "parameters": spec.parameters,
        "seed": spec.seed,
        "time": {"at": at},
    }
    return line | _links(spec)


def text_line(text: str) -> Line:
    """Return the line that keeps a text of `texts_of`."""
    return {"schema": SCHEMA, "id": text_id(text), "text": text}


def _encode_set(thing: object) -> object:
    if isinstance(thing, frozenset | set):
        return sorted(thing)
    raise TypeError(f"{type(thing).__name__} cannot be written to the log")
