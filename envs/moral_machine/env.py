"""The moral machine as an environment: scenes, stakes and words behind one contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from valuesim.env import Ending, Environment
from valuesim.envs.moral_machine import drawing, drawing_svg, features, tally, wording
from valuesim.envs.moral_machine.parameters import Parameters
from valuesim.envs.moral_machine.picture import picture
from valuesim.envs.moral_machine.scene import SIDES, Side
from valuesim.envs.moral_machine.stakes import stakes
from valuesim.envs.moral_machine.world import MESSAGE, SAY, World, first_world, resolved
from valuesim.option import Move, Option, Text

LONGEST_MESSAGE = 600


class MoralMachine(Environment):
    """A self-driving car without brakes must stay or swerve; who dies is drawn scene by scene.

    The arguments are the fields of `Parameters` (see there), each also a factor of `condition`.
    """

    id: ClassVar[str] = "moral_machine-v0"
    taxonomy: str = "moral_machine"
    depicts: ClassVar[str] = "valuesim.envs.moral_machine.depiction:depicted"
    is_paired: ClassVar[bool] = True
    panels: ClassVar[str] = "valuesim.measures.moral_machine.panels:panels"
    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's)
        "render_modes": ["ansi", "rgb_array", "svg"],
        "render_fps": 1,
        "name": "moral_machine-v0",
    }
    world: World

    def __init__(
        self,
        *,
        scenes: int = 13,
        dimension: str = "all",
        perspective: str = "act",
        detail: str = "words",
        paraphrase: int = 0,
        labels: str = "neutral",
        both_orders: bool = False,
        panel: int = 1,
        arguments: bool = False,
        rule: str = "plurality",
        shuffle_options: bool = True,
        render_mode: str | None = None,
    ) -> None:
        """Check the arguments; raise ValueError, naming the argument, for one not allowed."""
        self.parameters = Parameters(
            scenes=scenes,
            dimension=dimension,
            perspective=perspective,
            detail=detail,
            paraphrase=paraphrase,
            labels=labels,
            both_orders=both_orders,
            panel=panel,
            arguments=arguments,
            rule=rule,
        )
        self._texts = wording.texts(self.parameters)
        self.possible_agents = list(self.parameters.names)
        self.rules = self._texts.rules
        self.condition = {
            **{field.name: getattr(self.parameters, field.name) for field in fields(Parameters)},
            "shuffle_options": shuffle_options,
            "wording_id": self._texts.id,
        }
        names = (*self.parameters.shown_names, *([SAY] if arguments else []))
        self.catalogue = tuple(Move(option=name) for name in names)
        self.bounds = features.bounds()
        super().__init__(shuffle_options=shuffle_options, render_mode=render_mode)

    def start(self) -> World:
        """Return the first world: all scenes of the episode, drawn from the seed."""
        # the presentation is drawn apart for each condition: episodes of a paired design show the
        # same scenes, independently labelled and ordered
        presenting = np.random.default_rng([int(self.rng.integers(2**31)), self._condition_key])
        return first_world(self.parameters, self.rng, presenting, shuffled=self.shuffle_options)

    def describe(self, agent: str) -> str:
        """Return which scene it is and what a panel has said so far.

        The options tell the cases; who is to speak has none and is told them here.
        """
        is_talk = self.world.phase == "argue"
        cases = self.order(agent, self._cases()) if is_talk else ()
        return wording.status(self.viewed(agent), {case.name: case.text for case in cases})

    def options(self, agent: str) -> Sequence[Option]:
        """Return the two cases in the order of their names, or the one option to speak."""
        if self.world.phase == "argue":
            arguments = {MESSAGE: Text(longest=LONGEST_MESSAGE)}
            talk = frozenset({"talk"})
            return (Option(name=SAY, text=wording.say_text(), arguments=arguments, tags=talk),)
        return self._cases()

    def order(self, agent: str, offered: tuple[Option, ...]) -> tuple[Option, ...]:
        """Return `offered` by lot, or as the asking demands where both orders are asked."""
        if not self.parameters.both_orders or len(offered) == 1:
            return super().order(agent, offered)
        shown = self.world.shown(self.parameters)
        first = SIDES[self._presentation(agent)]
        return tuple(sorted(offered, key=lambda option: shown[option.name] != first))

    def resolve(self, moves: Mapping[str, Move | None]) -> dict[str, dict[str, Any]]:
        """Go on to the next phase, asking or scene; see `world.resolved` for the effects."""
        self.world, effects = resolved(self.world, moves, self.parameters)
        for agent, reason in self.illegal.items():
            effects[agent]["illegal"] = reason
        return effects

    def ended(self) -> Mapping[str, Ending]:
        """Return everyone ("terminated") once all scenes are decided."""
        return dict.fromkeys(self.agents, "terminated") if self.world.is_over else {}

    def view(self, agent: str) -> dict[str, Any]:
        """Return what `agent` sees as facts: the cases by shown name, a panel's decisions so far.

        First decisions and messages of the others are seen in the phase "after" only.
        """
        world = self.world
        shown = world.shown(self.parameters)
        names = {side: name for name, side in shown.items()}
        known = [a for a in world.before if world.phase == "after" or a == agent]
        decided = {a: world.before[a] for a in known}
        return {
            "agent": agent,
            "phase": world.phase,
            "number": world.number,
            "scenes": len(world.scenes),
            "cases": {name: self._facts(side) for name, side in shown.items()},
            "decisions": {a: side and names[side] for a, side in decided.items()},
            "messages": {a: t for a, t in world.said.items() if a != agent},
        }

    def annotate(self, agent: str) -> dict[str, Any]:
        """Return what the log needs: the scene, the labels, its number, the phase.

        `scene` is the unit of independence: one seed gives the same scenes under every condition,
        so that they are asked again in other words. `presentation` (0: staying was shown first)
        is there only where both orders are asked.
        """
        world = self.world
        noted = {
            "scene": world.scene.id,
            "moral_scene": world.scene.annotation(),
            "labels": dict(world.shown(self.parameters)),
            "number": world.number,
            "phase": world.phase,
        }
        if self.parameters.both_orders:
            noted["presentation"] = self._presentation(agent)
        return noted

    def features(self, agent: str) -> NDArray[np.float32]:
        """Return the two cases and the panel's decisions as numbers; see `features.features`."""
        return features.features(self.world, agent, self.parameters)

    def singles(self) -> Sequence[Mapping[str, Any]]:
        """Return the argument that asks one scene, which the seed draws; none with a panel."""
        return [{"scenes": 1}] if self.parameters.panel == 1 else []

    def measure(self, turns: Sequence[Any]) -> dict[str, Any]:
        """Return the counts of a whole episode; see `tally.tally`."""
        return tally.tally(turns)

    def render(self) -> str | NDArray[np.uint8] | None:
        """Return the present scene as text ("ansi"), image ("rgb_array") or SVG, else None."""
        if self.render_mode is None:
            return None
        world = self.world
        drawn = picture(
            world.scene,
            labels={side: name for name, side in world.shown(self.parameters).items()},
            number=min(world.number, len(world.scenes) - 1),
            scenes=len(world.scenes),
        )
        if self.render_mode == "svg":
            return drawing_svg.svg(drawn)
        return drawing.text(drawn) if self.render_mode == "ansi" else drawing.image(drawn)

    def _presentation(self, agent: str) -> int:
        return self.world.presentation(self.possible_agents.index(agent))

    def _cases(self) -> tuple[Option, ...]:
        upheld = stakes(self.world.scene)
        shown = self.world.shown(self.parameters)
        return tuple(self._case(name, side, upheld[side]) for name, side in shown.items())

    def _case(self, name: str, side: Side, upheld: Mapping[str, float]) -> Option:
        return Option(
            name=name,
            text=wording.case(self.world.scene, side, self._texts),
            stakes=upheld,
        )

    def _facts(self, side: Side) -> dict[str, Any]:
        scene = self.world.scene
        return {
            "move": side,
            "dying": scene.dying(side).characters,
            "living": scene.spared(side).characters,
        }
