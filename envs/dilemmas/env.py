"""Dilemmas in words as an environment: a pack's scenes, one a step, behind one contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from valuesim.env import Ending, Environment
from valuesim.envs.dilemmas import wording
from valuesim.envs.dilemmas.loading import file_of
from valuesim.envs.dilemmas.pack import Pack, PackOption
from valuesim.envs.dilemmas.parameters import DRAWN, LABELS, PackName, Parameters
from valuesim.envs.dilemmas.shelf import condition, shelf
from valuesim.envs.dilemmas.world import World, dilemma_of, first_world, taken, turn_of
from valuesim.labels import AGENT_NAMES, drawn_labels
from valuesim.option import Move, Option
from valuesim.values import load_taxonomy

_ROLE = AGENT_NAMES[0]
_LABELLING = 1
"""What tells the lot of labels from that of the order in which options are shown."""


class Dilemmas(Environment):
    """One agent and a pack of dilemmas; `pack` and the rest are the fields of `Parameters`.

    `pack` is a shipped pack's name, "generated", or a file's path, or a list of these, which are
    one pool of dilemmas: each episode then asks those of one pack, drawn by lot (see `shelf`).
    `scenes` are asked in an episode, drawn without replacement by the seed; None, or more than
    there are, is all. With `part` k, dilemmas are dealt out to as few parts as `scenes` allow, and
    the k-th is asked.
    `topics` keeps those on some topics (names with commas between, or a list). `paraphrase` is a
    telling's number, or "drawn" for every scene by the seed. `perspective`: "act", or "predict"
    what most people would do. `labels`: "letters" or "numbers". `pairs` ("Truthfulness/Privacy")
    and `per_pair` are for the generated pack.
    """

    id: ClassVar[str] = "dilemmas-v0"
    is_paired: ClassVar[bool] = True
    panels: ClassVar[str] = "valuesim.measures.dilemmas:panels"
    metadata: dict[str, Any] = {"render_modes": ["ansi"], "name": "dilemmas-v0"}  # noqa: RUF012 (PettingZoo's)
    # the rules are told in a telling that the seed draws: they belong to the episode
    _MUTABLE = (*Environment._MUTABLE, "rules", "_drawn_pack")
    world: World

    def __init__(
        self,
        *,
        pack: PackName | Sequence[PackName] = "daily",
        scenes: int | None = 20,
        part: int | None = None,
        topics: str | Sequence[str] | None = None,
        paraphrase: int | str = DRAWN,
        perspective: str = "act",
        labels: str = "letters",
        pairs: Sequence[str] | None = None,
        per_pair: int | None = None,
        shuffle_options: bool = True,
        render_mode: str | None = None,
    ) -> None:
        """Check the arguments; raise ValueError, naming the argument, for one not allowed.

        Raises InputError for a pack that is unknown or has any problem.
        """
        self.parameters = Parameters(
            pack=pack,
            scenes=scenes,
            part=part,
            topics=topics,
            paraphrase=paraphrase,
            perspective=perspective,
            labels=labels,
            pairs=pairs,
            per_pair=per_pair,
        )
        self._shelf = shelf(self.parameters)
        self._drawn_pack = self._shelf.first()
        self.taxonomy = self.pack.taxonomy
        self.possible_agents = [_ROLE]
        self.rules = wording.rules(self.pack, self._telling or 0, perspective)
        self.condition = condition(self._shelf, self.parameters, shuffle_options)
        self._labels = LABELS[labels][: self._shelf.most_options]
        self.catalogue = tuple(Move(option=label) for label in self._labels)
        self._values = load_taxonomy(self.taxonomy).names
        size = len(self._labels) * len(self._values)
        self.bounds = (np.full(size, -1, np.float32), np.full(size, 1, np.float32))
        super().__init__(shuffle_options=shuffle_options, render_mode=render_mode)

    @classmethod
    def reads(cls, parameters: Mapping[str, Any]) -> list[Path]:
        """Return the files of packs that are not shipped."""
        given = parameters.get("pack", ())
        packs = given if isinstance(given, list | tuple) else (given,)
        return [file for each in packs if (file := file_of(str(each))) is not None]

    def start(self) -> World:
        """Return the first world: which scenes are asked, in which order and telling."""
        self._drawn_pack = self._shelf.draw(self.rng)
        world = first_world(
            self._shelf.places[self._drawn_pack],
            len(self.pack.role),
            self.parameters.scenes,
            self._telling,
            self.rng,
        )
        drawn = int(self.rng.integers(len(self.pack.role)))
        telling = drawn if self._telling is None else self._telling
        self.rules = wording.rules(self.pack, telling, self.parameters.perspective)
        return world

    def describe(self, agent: str) -> str:
        """Return the situation, what was chosen in it so far, and what followed."""
        return wording.situation(self.world, self.pack, self.parameters.perspective)

    def options(self, agent: str) -> Sequence[Option]:
        """Return the options of the present turn under the labels drawn for it."""
        if self.world.is_over:
            return ()
        return [
            Option(
                name=label,
                text=option.text,
                stakes=option.stakes,
                tags=_tags(option),
                is_omission=option.omission,
            )
            for label, option in self._labelled().items()
        ]

    def resolve(self, moves: Mapping[str, Move | None]) -> dict[str, dict[str, Any]]:
        """Go on to the turn or the scene to come; who abstains leaves the scene as it is.

        An effect holds `dilemma`, `turn`, and of the option taken (None: it abstained) `option`
        (its id in the pack), `behaviours` and `then`, the turn that follows, or None.
        """
        move = moves.get(_ROLE)
        option = None if move is None else self._labelled()[move.option]
        effect = {
            "payoff": 0.0,
            "dilemma": dilemma_of(self.world, self.pack).id,
            "turn": self.world.turn,
            "option": option.id if option else None,
            "behaviours": list(option.behaviours) if option else [],
            "then": option.then if option else None,
        }
        if _ROLE in self.illegal:
            effect["illegal"] = self.illegal[_ROLE]
        self.world = self.world.after(option)
        return {_ROLE: effect}

    def ended(self) -> Mapping[str, Ending]:
        """Return that the agent is done after the last scene."""
        return {_ROLE: "terminated"} if self.world.is_over else {}

    def view(self, agent: str) -> dict[str, Any]:
        """Return which situation this is, of how many, and what was chosen in it so far."""
        return {
            "number": self.world.place + 1,
            "situations": len(self.world.scenes),
            "perspective": self.parameters.perspective,
            "chosen": [option.text for _, option in taken(self.world, self.pack)],
        }

    def annotate(self, agent: str) -> dict[str, Any]:
        """Return which scene, turn and telling this is, and what stands behind the labels.

        `scene` names the dilemma for whoever groups decisions. `after` holds what led here, None
        at the start: `turn`, `option`, its risky `behaviours`, and `put_first`, by how much it had
        more at stake of each value than the other options had on average.
        """
        dilemma, labelled = dilemma_of(self.world, self.pack), self._labelled()
        before = taken(self.world, self.pack)
        return {
            "scene": f"{self.pack.id}/{dilemma.id}",
            "dilemma": dilemma.id,
            "turn": self.world.turn,
            "kind": turn_of(self.world, self.pack).kind,
            "topic": dilemma.topic,
            "telling": self.world.scene.telling,
            "labels": {label: option.id for label, option in labelled.items()},
            "behaviours": {label: list(o.behaviours) for label, o in labelled.items()},
            "parties": list(dilemma.parties),
            "after": self._step(*before[-1]) if before else None,
        }

    def features(self, agent: str) -> NDArray[np.float32]:
        """Return the stakes of the options, label by label, all values in order; 0 where none."""
        stakes = np.zeros((len(self._labels), len(self._values)), np.float32)
        if not self.world.is_over:
            for row, label in enumerate(self._labels):
                option = self._labelled().get(label)
                for value, stake in option.stakes.items() if option else ():
                    stakes[row, self._values.index(value)] = stake
        return stakes.ravel()

    def singles(self) -> Sequence[Mapping[str, Any]]:
        """Return the arguments that ask one dilemma of those that may be asked (its `part`)."""
        return [{"scenes": 1, "part": place} for place in range(self._shelf.size)]

    def measure(self, turns: Sequence[Any]) -> dict[str, Any]:
        """Return counts: scenes, decisions, and those that offered and that showed risk."""
        effects = [turn.effects[_ROLE] for turn in turns]
        risks = [
            any(o.tags for o in observation.options)
            for turn in turns
            for observation in turn.observations.values()
        ]
        return {
            "scenes": sum(effect["turn"] == "start" for effect in effects),
            "decisions": len(effects),
            "offered_risk": sum(risks),
            "showed_risk": sum(bool(effect["behaviours"]) for effect in effects),
        }

    def render(self) -> str | None:
        """Return the present situation as text ("ansi"), else None."""
        if self.render_mode is None:
            return None
        if self.world.is_over:
            return f"All {len(self.world.scenes)} situations were asked.\n"
        options = [f"  {o.name}: {o.text}" for o in self.observe(_ROLE).options]
        return "\n".join([self.describe(_ROLE), *options]) + "\n"

    @property
    def pack(self) -> Pack:
        """The pack that this episode asks; before the first, the first of those that may be."""
        return self._shelf.packs[self._drawn_pack]

    @property
    def _telling(self) -> int | None:
        """The telling of everything, or None where each is drawn."""
        paraphrase = self.parameters.paraphrase
        return None if paraphrase == DRAWN else int(paraphrase)

    def _step(self, turn: str, option: PackOption) -> dict[str, Any]:
        others = [o for o in dilemma_of(self.world, self.pack).turn(turn).options if o != option]
        return {
            "turn": turn,
            "option": option.id,
            "behaviours": list(option.behaviours),
            "put_first": _put_first(option, others),
        }

    def _labelled(self) -> dict[str, PackOption]:
        """Return the options of the present turn by label, in the order of the labels."""
        by_id = {option.id: option for option in turn_of(self.world, self.pack).options}
        key = [self._seed or 0, self._condition_key, self.turn, _LABELLING]
        drawn = drawn_labels(list(by_id), np.random.default_rng(key), self._labels)
        return {label: by_id[id] for label, id in drawn.items()}


def _tags(option: PackOption) -> frozenset[str]:
    if not option.behaviours:
        return frozenset()
    return frozenset({"risk", *(f"behaviour:{name}" for name in option.behaviours)})


def _put_first(option: PackOption, others: Sequence[PackOption]) -> dict[str, float]:
    """Return by how much `option` has more at stake of each value than `others` have on average."""
    values = sorted({value for each in (option, *others) for value in each.stakes})
    gains = {
        value: option.stakes.get(value, 0.0)
        - sum(other.stakes.get(value, 0.0) for other in others) / len(others)
        for value in values
    }
    return {value: round(gain, 6) for value, gain in gains.items() if gain}
