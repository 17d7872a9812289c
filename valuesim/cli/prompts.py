"""`valuesim doctor prompts`: how much of the prompts a server's prefix cache could keep."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from valuesim import registry
from valuesim.agents.interventions import Intervention, build, of_role
from valuesim.agents.prefix_sharing import (
    BLOCK_TOKENS,
    CHARACTERS_PER_TOKEN,
    Difference,
    Sent,
    Sharing,
    sharing,
)
from valuesim.agents.prompt import Elicitation, Message, prompt_of
from valuesim.cli.terminal import clean, percent, print_table, write_json
from valuesim.config import RunConfig, compose
from valuesim.decision import Agent, Decision
from valuesim.engine.plan import MODEL_AGENT, episode_seeds, plan
from valuesim.episode import play
from valuesim.errors import InputError
from valuesim.observation import Observation
from valuesim.overrides import shipped

EPISODES = 6
_AGENT = "random"
_MODEL = {"provider": "mock", "name": "mock"}
_COLUMNS = (
    *("environment", "prompts", "length", "shared", "blocks"),
    *("agents", "turns", "episodes", "alike", "rules"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What the prompts of one environment share; `name` is what env=NAME takes.

    `verdict`: the rules are "one" for all prompts; "drawn", one in each episode, several over
    episodes; or "broken", several in one episode, which the contract forbids.
    """

    name: str
    sharing: Sharing

    @property
    def verdict(self) -> str:
        """How it keeps to "rules first, and the same for all"."""
        if self.sharing.rules_of_an_episode > 1:
            return "broken"
        return "drawn" if self.sharing.rules > 1 else "one"


def check(settings: Sequence[str], json: str | None) -> int:
    """Print what the prompts of each environment share; return 1 if one breaks the contract."""
    findings = [
        Finding(name=name, sharing=sharing(asyncio.run(_sent(config))))
        for name, config in _asked(settings)
    ]
    if json:
        write_json([_row(finding) for finding in findings], json)
    if json != "-":
        _tell(findings)
    return int(any(finding.verdict == "broken" for finding in findings))


def _asked(settings: Sequence[str]) -> list[tuple[str, RunConfig]]:
    """Return what is to be played, by environment.

    env=NAME begins an environment, env.SETTING=... belongs to the one before it; what else is
    given goes for all. Raises InputError for what a run would not take.
    """
    own: list[tuple[str, list[str]]] = []
    for_all: list[str] = []
    for setting in settings:
        if setting.startswith("env="):
            own.append((setting.removeprefix("env="), []))
        elif setting.startswith("env."):
            if not own:
                raise InputError(f"{setting[:80]!r} is of no environment: give env=NAME before it")
            own[-1][1].append(setting)
        else:
            for_all.append(setting)
    for setting in for_all:
        key = setting.partition("=")[0].lstrip("+")
        if key.startswith("cross") or key in ("chain", "asking"):
            raise InputError(f"{key} does not go here: the prompts of one arm, alone, are compared")
    chosen = own or [(name, list[str]()) for name in sorted(shipped("env"))]
    defaults = [f"agents={_AGENT}", f"episodes={EPISODES}"]
    return [
        (" ".join([name, *further]), compose([*defaults, f"env={name}", *further, *for_all]))
        for name, further in chosen
    ]


async def _sent(config: RunConfig) -> list[Sent]:
    """Return the prompts of a run by scripted agents, as a model in their place would be sent."""
    parameters = dict(config.env)
    id = registry.environment_id(str(parameters.pop("id", None)))
    env = registry.make(id, **parameters)
    elicitation = Elicitation.of(config.elicitation)
    who = config.agents
    _check(config)
    sent: list[Sent] = []
    for episode, seed in enumerate(episode_seeds(config.seed, config.episodes)):
        agents: dict[str, Agent] = {
            role: _Witness(
                episode=episode,
                plays=registry.make_agent(str(who.get(role, who["all"])), role=role, seed=seed),
                elicitation=elicitation,
                interventions=build(of_role(config.intervention, role), role=role, seed=seed),
                sent=sent,
            )
            for role in env.possible_agents
        }
        await play(env, agents, seed)
    return sent


def _check(config: RunConfig) -> None:
    """Raise InputError for what a run by these agents, or with interventions on models, refuses."""
    who = config.agents
    if not all(isinstance(name, str) for name in who.values()):
        raise InputError(f"agents={dict(who)} is a list: the prompts of one game are compared")
    if not {"human", MODEL_AGENT}.isdisjoint(who.values()):
        raise InputError(f"agents={dict(who)} do not play by themselves: give scripted agents")
    played = replace(config, episodes=min(config.episodes, 1))
    plan(replace(played, intervention={}).design())
    if config.intervention:
        plan(replace(played, agents={"all": MODEL_AGENT}, model=_MODEL).design())


class _Witness:
    """Plays as `plays` does, and adds to `sent` what a model in its place would be sent."""

    def __init__(
        self,
        *,
        episode: int,
        plays: Agent,
        elicitation: Elicitation,
        interventions: Sequence[Intervention],
        sent: list[Sent],
    ) -> None:
        self._episode, self._plays, self._sent = episode, plays, sent
        self._elicitation, self._interventions = elicitation, interventions

    async def decide(self, observation: Observation) -> Decision:
        """Return what `plays` decides."""
        prompt = prompt_of(observation, self._elicitation)
        send = partial(self._send, observation.step, prompt.system)

        async def ask(messages: Sequence[Message], *, purpose: str) -> str:  # noqa: ARG001
            # nobody is there to answer: what is sent is all that is looked at
            send(messages, is_beside=True)
            return ""

        for intervention in self._interventions:
            prompt = await intervention.prepare(prompt, observation, ask)
        send(prompt.messages())
        decision = await self._plays.decide(observation)
        for intervention in self._interventions:
            intervention.saw(observation, decision)
        return decision

    def _send(
        self, turn: int, rules: str, messages: Sequence[Message], *, is_beside: bool = False
    ) -> None:
        self._sent.append(
            Sent(
                episode=self._episode,
                turn=turn,
                rules=rules,
                messages=messages,
                is_beside=is_beside,
            )
        )


def _row(finding: Finding) -> Mapping[str, Any]:
    return {"env": finding.name, "verdict": finding.verdict, **asdict(finding.sharing)}


def _tell(findings: Sequence[Finding]) -> None:
    told = (
        "What of the prompts was sent before: in all (shared), in blocks of "
        f"{BLOCK_TOKENS} tokens of {CHARACTERS_PER_TOKEN} characters, over agents of a turn, turns "
        "of an episode, and episodes. Length, and what all begin with (alike), in characters. "
        "Beside: questions that interventions ask before a decision"
    )
    print_table(told, _COLUMNS, [_cells(finding) for finding in findings])
    for finding in findings:
        if finding.sharing.differ is not None:
            print(clean(f"{finding.name}: prompts differ {_shown(finding.sharing.differ)}"))
        if finding.sharing.rules_differ is not None:
            where = "in an episode" if finding.verdict == "broken" else "between episodes"
            differs = _shown(finding.sharing.rules_differ)
            print(clean(f"{finding.name}: rules differ {where}, {differs}"))


def _cells(finding: Finding) -> list[object]:
    shares = finding.sharing
    count = f" ({shares.rules})" if shares.rules > 1 else ""
    beside = f" ({shares.beside} beside)" if shares.beside else ""
    return [
        finding.name,
        f"{shares.prompts}{beside}",
        round(shares.length),
        *map(percent, (shares.share, shares.blocks, shares.agents, shares.turns, shares.episodes)),
        shares.common,
        f"{finding.verdict}{count}",
    ]


def _shown(difference: Difference) -> str:
    one, other = (" ".join(text.split()) for text in (difference.one, difference.other))
    before = " ".join(difference.before.split())
    return f"at character {difference.at}, after {before!r}: {one!r} or {other!r}"
