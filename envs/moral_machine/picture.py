"""How a scene is laid out: a road of two lanes, the car, who stands where, and what it would do.

The car comes from the left in the lower lane; swerving takes it to the upper one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import wrap

from valuesim.envs.moral_machine.figures import figure
from valuesim.envs.moral_machine.scene import SIDES, Group, Scene, Side
from valuesim.envs.moral_machine.shapes import Area, Box, Line, Oval, Point, Shape, Words, moved
from valuesim.envs.moral_machine.wording import character_word, drawing_words, plain_case

SIZE = (1200, 580)
_PAPER, _ROAD, _STRIPE, _INK = "#f6f4ef", "#cdd1d6", "#e9ebee", "#22262b"
_FAINT, _CAR, _GLASS, _ARROW = "#6b7078", "#d9e4ee", "#f4f8fb", "#31708f"
_CONCRETE, _LIGHT = "#9a9ca0", {1: "#2f9e57", 2: "#cf3a2d"}
_TOP: Mapping[Side, float] = {"swerve": 112, "stay": 322}
_LANE, _COLUMN = 186, 90
_HEADING, _CROSSING, _CROSSING_WIDTH = 640, 716, 466
_UNNAMED: Mapping[Side, str] = {"stay": "STAY", "swerve": "SWERVE"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture: its title, a sentence or two for each case, shapes from back to front."""

    title: str
    cases: tuple[str, ...]
    shapes: tuple[Shape, ...]

    @property
    def description(self) -> str:
        """What the picture shows, in words."""
        return " ".join(self.cases)


def picture(
    scene: Scene,
    *,
    labels: Mapping[Side, str] = _UNNAMED,
    number: int | None = None,
    scenes: int | None = None,
) -> Picture:
    """Return the picture of `scene`, its two cases called by `labels`.

    `number` (from 0) and `scenes` place it in an episode, if it is in one.
    """
    words = drawing_words()
    title = words["untitled"]
    if number is not None:
        title = words["title"].format(number=number + 1, scenes=scenes)
    by_name = sorted(SIDES, key=lambda side: labels[side])
    shapes = [
        Box(x=0, y=0, width=SIZE[0], height=SIZE[1], fill=_PAPER),
        Words(x=30, y=44, text=title, size=26, colour=_INK, anchor="start"),
        *_road(),
        *(shape for side in SIDES for shape in _lane(scene.dying(side), side, labels[side])),
        *_car(scene),
        *_arrows(),
    ]
    return Picture(
        title=title,
        cases=tuple(f"{labels[side]}: {plain_case(scene, side)}" for side in by_name),
        shapes=tuple(shapes),
    )


def _road() -> list[Shape]:
    top, bottom = _TOP["swerve"], _TOP["stay"] + _LANE
    middle = (top + bottom) / 2
    return [
        Box(x=0, y=top, width=SIZE[0], height=bottom - top, fill=_ROAD),
        *(Box(x=x, y=middle - 3, width=44, height=6, fill="#ffffff") for x in range(8, 1200, 76)),
    ]


def _lane(dying: Group, side: Side, label: str) -> list[Shape]:
    words, top = drawing_words(), _TOP[side]
    kind = "barrier" if dying.are_passengers else "crossing"
    die = words["die"][dying.size > 1]
    told = words[kind].format(case=label, move=words[side], number=dying.size, die=die)
    base = top - 14 if side == "swerve" else top + _LANE + 28
    heading = Words(x=_HEADING, y=base, text=told, size=18, colour=_INK, anchor="start")
    if dying.are_passengers:
        return [heading, *_barrier(top)]
    return [heading, *_stripes(top), *_signal(dying.signal, top), *_crossing(dying, top)]


def _stripes(top: float) -> list[Shape]:
    return [
        Box(x=_CROSSING, y=y, width=_CROSSING_WIDTH, height=17, fill=_STRIPE)
        for y in (top + 10 + 37 * k for k in range(5))
    ]


def _crossing(group: Group, top: float) -> list[Shape]:
    return _people(group, _CROSSING + _CROSSING_WIDTH / 2, top + 124)


def _people(group: Group, middle: float, ground: float) -> list[Shape]:
    shapes: list[Shape] = []
    left = middle - _COLUMN * (group.size - 1) / 2
    for place, character in enumerate(group.members):
        x = left + place * _COLUMN
        shapes += moved(figure(character.name), x, ground)
        shapes += _caption(character_word(character.name), x, ground)
    return shapes


def _caption(text: str, x: float, ground: float) -> list[Shape]:
    lines = wrap(text, 10)
    plate = Box(
        x=x - 43, y=ground + 5, width=86, height=8 + 15 * len(lines), fill="#ffffff", radius=4
    )
    return [
        plate,
        *(
            Words(x=x, y=ground + 20 + 15 * row, text=line, size=13, colour=_INK)
            for row, line in enumerate(lines)
        ),
    ]


def _signal(signal: int, top: float) -> list[Shape]:
    if not signal:
        return []
    x, y = 678, top + 58
    lit = {1: y + 28, 2: y + 8}[signal]
    words = drawing_words()["signal"][signal].split()
    return [
        Box(x=x - 3, y=y + 30, width=6, height=46, fill=_FAINT),
        Box(x=x - 14, y=y - 8, width=28, height=52, fill=_INK, radius=6),
        *(Oval(x=x, y=y + dy, across=8, down=8, fill="#4a5058") for dy in (8, 28)),
        Oval(x=x, y=lit, across=9, down=9, fill=_LIGHT[signal]),
        *(
            Words(x=x, y=y + 92 + 15 * row, text=word, size=13, colour=_INK)
            for row, word in enumerate(words)
        ),
    ]


def _barrier(top: float) -> list[Shape]:
    left, upper, width, height = _CROSSING, top + 18, 84, _LANE - 36
    hatches: list[Shape] = [
        Line(points=((left + 7, y + 31), (left + width - 7, y)), colour="#c2c4c7", width=9)
        for y in (upper + 6 + 38 * k for k in range(3))
    ]
    text = Words(
        x=left + width + 16,
        y=upper + height / 2 + 6,
        text=drawing_words()["block"],
        size=18,
        colour=_INK,
        anchor="start",
    )
    block = Box(x=left, y=upper, width=width, height=height, fill=_CONCRETE, outline=_INK)
    return [block, *hatches, text]


def _car(scene: Scene) -> list[Shape]:
    inside = next((group for group in scene.groups if group.are_passengers), None)
    bottom = _TOP["stay"] + _LANE - 8
    left, width = (18, 500) if inside else (290, 228)
    top = bottom - (170 if inside else 96)
    glazed = width - 44 if inside else width - 64
    middle = left + 8 + glazed / 2
    wheels: list[Shape] = [
        Oval(x=x, y=bottom - 8, across=17, down=15, fill=_INK)
        for x in (left + 60, left + width - 70)
    ]
    body = Box(
        x=left, y=top, width=width, height=bottom - 8 - top, fill=_CAR, outline=_INK, radius=22
    )
    lamp = Oval(x=left + width - 6, y=bottom - 40, across=7, down=11, fill="#f3d566", outline=_INK)
    glass = Box(
        x=left + 8,
        y=top + 10,
        width=glazed,
        height=bottom - top - (36 if inside else 60),
        fill=_GLASS,
        outline=_FAINT,
        radius=12,
    )
    if inside:
        return [*wheels, body, glass, lamp, *_people(inside, middle, bottom - 70)]
    empty = drawing_words()["empty"]
    text = Words(x=middle, y=bottom - 30, text=empty, size=15, colour=_INK)
    return [*wheels, body, glass, lamp, text]


def _arrows() -> list[Shape]:
    ahead, aside = _TOP["stay"] + _LANE / 2, _TOP["swerve"] + _LANE / 2
    return [
        Line(points=((532, ahead), (622, ahead)), colour=_ARROW, width=11),
        Line(points=_bend((532, ahead - 26), (622, aside)), colour=_ARROW, width=11),
        *(
            Area(points=((620, y - 17), (650, y), (620, y + 17)), fill=_ARROW)
            for y in (ahead, aside)
        ),
    ]


def _bend(start: Point, end: Point) -> tuple[Point, ...]:
    # level at both ends, as a car changes lanes
    shares = [step / 24 for step in range(25)]
    return tuple(
        (
            start[0] + share * (end[0] - start[0]),
            start[1] + share**2 * (3 - 2 * share) * (end[1] - start[1]),
        )
        for share in shares
    )
