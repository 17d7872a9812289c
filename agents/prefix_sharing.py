"""How much of each prompt begins as one that was sent before: what a prefix cache need not read.

Prompts are taken in the order in which one agent after the other would send them; nothing is ever
dropped from the cache. So the shares are upper bounds for a server that is asked many at once.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from valuesim.agents.prompt import Message

CHARACTERS_PER_TOKEN = 4
"""What a token of English prose is taken to hold; no tokenizer is asked."""
BLOCK_TOKENS = 16
"""What a server keeps or drops at once (vLLM's default on GPUs)."""
_BLOCK = CHARACTERS_PER_TOKEN * BLOCK_TOKENS
_BETWEEN = "\n"
_QUOTED = 48


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One prompt of a run: `messages` in turn `turn` (from 0) of episode `episode`.

    `rules` are what the decision's system message says before interventions add to it. A question
    that an intervention asks beside the decision (`is_beside`) has those of its decision.
    """

    episode: int
    turn: int
    rules: str
    messages: Sequence[Message]
    is_beside: bool = False

    @property
    def text(self) -> str:
        """The messages, one after the other."""
        return _BETWEEN.join(message.text for message in self.messages)


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Where two prompts first differ: what stands before it in both, then what in each."""

    at: int
    before: str
    one: str
    other: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sharing:
    """What prompts have in common at their beginning; lengths in characters, shares in [0, 1].

    Of `prompts`, `beside` are questions that interventions asked beside a decision.
    `share` is what was sent before, of all that is sent; `blocks` the same in whole blocks of
    `BLOCK_TOKENS` tokens. `agents` compares with other agents in the same turn, `turns` with
    earlier turns of the episode, `episodes` with earlier episodes, each over the prompts for which
    there are such; None where there are none. `common` is the beginning that all share, `differ`
    where it ends, `longest` the longest that two share. `rules` counts the different rules,
    `rules_of_an_episode` those of one episode at most, `rules_differ` says where two first differ.
    """

    prompts: int
    beside: int
    length: float
    share: float
    blocks: float
    agents: float | None
    turns: float | None
    episodes: float | None
    common: int
    longest: int
    differ: Difference | None
    rules: int
    rules_of_an_episode: int
    rules_differ: Difference | None


def sharing(sent: Iterable[Sent]) -> Sharing:
    """Return what the prompts of `sent` share, which stand in the order of episodes and turns.

    Raises ValueError where there is none.
    """
    prompts = list(sent)
    if not prompts:
        raise ValueError("no prompt was sent: there is nothing to share")
    shares, longest = _shares(prompts)
    texts = [prompt.text for prompt in prompts]
    rules = list(dict.fromkeys(prompt.rules for prompt in prompts))
    return Sharing(
        prompts=len(prompts),
        beside=sum(prompt.is_beside for prompt in prompts),
        length=sum(map(len, texts)) / len(texts),
        share=shares["all"].of or 0.0,
        blocks=shares["blocks"].of or 0.0,
        agents=shares["agents"].of,
        turns=shares["turns"].of,
        episodes=shares["episodes"].of,
        # what the first and the last in order begin with, all between them do
        common=common_prefix(min(texts), max(texts)),
        longest=longest,
        differ=_difference(min(texts), max(texts)),
        rules=len(rules),
        rules_of_an_episode=_most_rules(prompts),
        rules_differ=_difference(rules[0], rules[1]) if len(rules) > 1 else None,
    )


def _most_rules(prompts: Iterable[Sent]) -> int:
    """Return how many different rules one episode has, at most."""
    by_episode: dict[int, set[str]] = {}
    for prompt in prompts:
        by_episode.setdefault(prompt.episode, set()).add(prompt.rules)
    return max(map(len, by_episode.values()))


def _shares(prompts: Sequence[Sent]) -> tuple[dict[str, _Share], int]:
    """Return the shares by what is compared with, and the longest beginning that two share."""
    everything, episodes, turns, agents = _Seen(), _Seen(), _Seen(), _Seen()
    shares = {name: _Share() for name in ("all", "blocks", "agents", "turns", "episodes")}
    longest, last = 0, prompts[0]
    for prompt in prompts:
        if (prompt.episode, prompt.turn) != (last.episode, last.turn):
            turns.take(agents)
        if prompt.episode != last.episode:
            episodes.take(turns)
        text, last = prompt.text, prompt
        shared = everything.longest(text)
        longest = max(longest, shared)
        shares["all"].add(shared, text)
        shares["blocks"].add(shared // _BLOCK * _BLOCK, text)
        for name, seen in (("agents", agents), ("turns", turns), ("episodes", episodes)):
            if seen:
                shares[name].add(seen.longest(text), text)
        everything.add(text)
        agents.add(text)
    return shares, longest


def common_prefix(one: str, other: str) -> int:
    """Return how many characters `one` and `other` begin with alike.

    >>> common_prefix("turn 1 of 3", "turn 2 of 3")
    5
    """
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _difference(one: str, other: str) -> Difference | None:
    at = common_prefix(one, other)
    if one == other:
        return None
    before = one[max(0, at - _QUOTED) : at]
    return Difference(
        at=at, before=before, one=one[at : at + _QUOTED], other=other[at : at + _QUOTED]
    )


class _Share:
    def __init__(self) -> None:
        self._shared, self._whole = 0, 0

    def add(self, shared: int, text: str) -> None:
        self._shared += shared
        self._whole += len(text)

    @property
    def of(self) -> float | None:
        return self._shared / self._whole if self._whole else None


class _Seen:
    """Texts in their order: the neighbours of a text share the longest beginning with it."""

    def __init__(self) -> None:
        self._sorted: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._sorted)

    def add(self, text: str) -> None:
        insort(self._sorted, text)

    def take(self, other: _Seen) -> None:
        """Take over all of `other`, which is empty then."""
        for text in other._sorted:
            self.add(text)
        other._sorted = []

    def longest(self, text: str) -> int:
        at = bisect_left(self._sorted, text)
        near = self._sorted[max(0, at - 1) : at + 1]
        return max((common_prefix(text, each) for each in near), default=0)
