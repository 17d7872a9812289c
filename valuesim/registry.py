"""Names of environments and agents, and where they live; nothing is imported before it is used.

To add one: write the class, add a line here. Other packages add theirs by entry points in the
groups `valuesim.envs` and `valuesim.agents` (`name = "module:Class"`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from valuesim.errors import InputError, unknown

if TYPE_CHECKING:
    from valuesim.env import Environment


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a registered class lives ("module:Class") and one line on what it is."""

    target: str
    description: str

    def load(self) -> Any:
        """Import and return the class."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(module), name)


_GAMES = "valuesim.envs.games"
_ENVS = {
    "survival-v0": Entry(
        "valuesim.envs.survival:Survival",
        "agents share a battery; more power can be had by harming people outside",
    ),
    "prisoners_dilemma-v0": Entry(
        f"{_GAMES}:PrisonersDilemma", "cooperate or defect, once or repeatedly"
    ),
    "stag_hunt-v0": Entry(f"{_GAMES}:StagHunt", "hunt the stag together or hares alone"),
    "chicken-v0": Entry(f"{_GAMES}:Chicken", "swerve or go straight on"),
    "battle_of_the_sexes-v0": Entry(
        f"{_GAMES}:BattleOfTheSexes", "meet at one's own place or at the other's"
    ),
    "matching_pennies-v0": Entry(
        f"{_GAMES}:MatchingPennies", "one wins if the moves are equal, the other if not"
    ),
    "matrix_game-v0": Entry(
        f"{_GAMES}:MatrixGame", "any game of two players with two moves each, from a table"
    ),
    "travelers_dilemma-v0": Entry(
        f"{_GAMES}:TravelersDilemma", "two claims; the lower counts, and undercutting pays"
    ),
    "public_goods-v0": Entry(
        f"{_GAMES}:PublicGoods", "contribute to what all share; optional punishment"
    ),
    "trust-v0": Entry(f"{_GAMES}:Trust", "send tokens that multiply; the other may return some"),
    "ultimatum-v0": Entry(f"{_GAMES}:Ultimatum", "offer a part of the pie; the other may reject"),
    "dictator-v0": Entry(f"{_GAMES}:Dictator", "give a part of the pie to somebody without a say"),
    "moral_machine-v0": Entry(
        "valuesim.envs.moral_machine:MoralMachine",
        "a self-driving car without brakes: who is spared, scene by scene",
    ),
    "dilemmas-v0": Entry(
        "valuesim.envs.dilemmas:Dilemmas",
        "dilemmas in words: one situation at a time, some of which go on",
    ),
    "questionnaire-v0": Entry(
        "valuesim.envs.questionnaire:Questionnaire",
        "stated values: which matters more, how much, and item sets of four published scales",
    ),
}

_PLAYERS = "valuesim.agents.scripted.games"
_REASONERS = "valuesim.agents.scripted.reasoners"
_SURVIVAL_AGENTS = "valuesim.agents.scripted.survival"
_AGENTS = {
    "llm": Entry("valuesim.agents.llm:LLMAgent", "a chat model, asked with the offered options"),
    "human": Entry("valuesim.agents.human:Human", "a person, asked at this terminal"),
    "random": Entry("valuesim.agents.scripted:Random", "content-blind: any offered option"),
    "mute": Entry("valuesim.agents.scripted:Mute", "never answers: every decision is a fault"),
    "first": Entry(
        "valuesim.agents.scripted:First",
        "content-blind: the option shown first, with the share after a colon (first:0.7)",
    ),
    "acquiescent": Entry(
        "valuesim.agents.scripted.respondents:Acquiescent",
        "questionnaire: agrees with everything, or always takes one point (acquiescent:7)",
    ),
    "valued": Entry(
        "valuesim.agents.scripted.valued:Valued",
        "weighs what is at stake by a profile of values (valued:protector)",
    ),
    "ethical": Entry(
        f"{_SURVIVAL_AGENTS}:Ethical", "survival: never taps, draws its share, gives in a crisis"
    ),
    "exploitative": Entry(
        f"{_SURVIVAL_AGENTS}:Exploitative", "survival: taps early, whatever the resources"
    ),
    "context_dependent": Entry(
        f"{_SURVIVAL_AGENTS}:ContextDependent", "survival: taps only when its power will not last"
    ),
    "free_rider": Entry(f"{_SURVIVAL_AGENTS}:FreeRider", "survival: overdraws, never gives"),
    "altruist": Entry(f"{_SURVIVAL_AGENTS}:Altruist", "survival: gives to whoever has less"),
    "always_cooperate": Entry(f"{_PLAYERS}:AlwaysCooperate", "games: cooperates whatever happens"),
    "always_defect": Entry(f"{_PLAYERS}:AlwaysDefect", "games: defects whatever happens"),
    "tit_for_tat": Entry(f"{_PLAYERS}:TitForTat", "games: does what its partner did last"),
    "grim": Entry(f"{_PLAYERS}:Grim", "games: cooperates until anyone has defected"),
    "win_stay_lose_shift": Entry(
        f"{_PLAYERS}:WinStayLoseShift", "games: cooperates if both did the same last"
    ),
    "generous_tit_for_tat": Entry(
        f"{_PLAYERS}:GenerousTitForTat", "games: tit-for-tat that forgives a share of defections"
    ),
    "two_tits": Entry(f"{_PLAYERS}:TwoTits", "games: T2, defects twice after any defection"),
    "memory_one": Entry(
        f"{_PLAYERS}:MemoryOne", "games: probabilities after cc,cd,dc,dd (memory_one:1,0,0,1)"
    ),
    "logit": Entry(
        f"{_REASONERS}:Logit", "games: plays the quantal response equilibrium (logit:0.1)"
    ),
    "level_k": Entry(f"{_REASONERS}:LevelK", "games: replies best to the level below (level_k:2)"),
    "fair_splitter": Entry(
        f"{_PLAYERS}:FairSplitter", "games: divides equally, rejects less than a fifth"
    ),
    "greedy_splitter": Entry(
        f"{_PLAYERS}:GreedySplitter", "games: keeps what it can, accepts whatever comes"
    ),
    "axelrod": Entry(
        "valuesim.agents.scripted.axelrod_player:AxelrodPlayer",
        "games: a strategy of the Axelrod library (axelrod:FirmButFair)",
    ),
}


def environments() -> dict[str, Entry]:
    """Return every registered environment: versioned id -> entry."""
    return _ENVS | _plugins("valuesim.envs")


def agents() -> dict[str, Entry]:
    """Return every registered agent: id -> entry."""
    return _AGENTS | _plugins("valuesim.agents")


def environment_id(name: str) -> str:
    """Return the versioned id of `name`, which may leave the version out (the newest is meant).

    >>> environment_id("survival")
    'survival-v0'
    """
    known = environments()
    if name in known:
        return name
    versions = [i for i in known if i.rpartition("-v")[0] == name]
    if not versions:
        raise InputError(unknown("environment", name, known))
    return max(versions, key=lambda i: int(i.rpartition("-v")[2]))


def make(name: str, **parameters: Any) -> Environment:
    """Build the environment `name`; raise InputError for an unknown name or bad parameters."""
    return _build(environments()[environment_id(name)], name, parameters)  # type: ignore[no-any-return]


def make_agent(name: str, **parameters: Any) -> Any:
    """Build the agent `name`; raise InputError for an unknown name or bad parameters.

    A name may carry the variant of an agent that has some, as in "first:0.7".
    """
    entry, variant = agent_entry(name)
    return _build(entry, name, parameters if variant is None else parameters | {"variant": variant})


def agent_entry(name: str) -> tuple[Entry, str | None]:
    """Return the entry of the agent `name` and the variant after its colon, None without one.

    Raises InputError for an unknown agent, and for a variant of an agent that has none.
    """
    known = agents()
    base, colon, variant = name.partition(":")
    if base not in known:
        raise InputError(unknown("agent", name, known))
    if colon and not getattr(known[base].load(), "variants", ""):
        raise InputError(f"agent {base!r} has no variants: {name!r} is not known")
    return known[base], variant if colon else None


def _build(entry: Entry, name: str, parameters: Mapping[str, Any]) -> Any:
    try:
        return entry.load()(**parameters)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} cannot be built: {error}") from error


@cache
def _plugins(group: str) -> dict[str, Entry]:
    return {
        point.name: Entry(point.value, f"from {point.dist.name if point.dist else 'a plug-in'}")
        for point in metadata.entry_points(group=group)
    }
