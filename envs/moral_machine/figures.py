"""Pictograms of the twenty characters: simple enough to tell apart, and always with words beside.

Each is drawn around (0, 0), the middle of the ground it stands on; an adult is 84 high.
"""

from __future__ import annotations

from valuesim.envs.moral_machine.scene import CHARACTERS, PLACE, Character
from valuesim.envs.moral_machine.shapes import Area, Box, Line, Oval, Shape, moved

_INK, _SKIN, _PALE, _HAIR = "#2d3a4a", "#e3b692", "#ffffff", "#4a3527"
_WHITE_HAIR = "#f2f2ef"
_GREY, _RED, _BROWN, _BLUE, _GOLD = "#b4bac2", "#b8322a", "#8a6844", "#3c6e9f", "#c78a2c"
_CHILD, _SMALL = 0.68, 0.9

_SHIRTS = {
    "Man": _BLUE,
    "Woman": _BLUE,
    "Pregnant": "#7d5ba6",
    "Homeless": _BROWN,
    "Criminal": "#d9dce0",
}


def figure(name: str) -> list[Shape]:
    """Return the pictogram of the character called `name`."""
    if name in _ANIMALS:
        return _ANIMALS[name]()
    if name == "Stroller":
        return _stroller()
    character = CHARACTERS[PLACE[name]]
    scale = _CHILD if character.age == "young" else _SMALL if character.age == "old" else 1.0
    return moved(_person(character), 0, 0, scale)


def _person(character: Character) -> list[Shape]:
    is_woman = character.gender == "female"
    wide = 1.65 if character.fitness == "large" else 1.0
    colour = _colour(character)
    body = _dress(colour, wide) if is_woman else _suit(colour, wide)
    return [*_hair(character), *body, *_head(), *_extras(character.name)]


def _colour(character: Character) -> str:
    if character.name.endswith("Doctor"):
        return _PALE
    if character.name.endswith("Executive"):
        return _INK
    if character.fitness == "fit":
        return _GOLD
    return _SHIRTS.get(character.name, "#5f7f6b" if character.age != "young" else "#a0587e")


def _head() -> list[Shape]:
    return [Oval(x=0, y=-72, across=10, down=11, fill=_SKIN, outline=_INK)]


def _hair(character: Character) -> list[Shape]:
    colour = _WHITE_HAIR if character.age == "old" else _HAIR
    if character.gender == "female":
        return [Box(x=-13, y=-85, width=26, height=30, fill=colour, outline=_INK, radius=12)]
    return [Oval(x=0, y=-76, across=11.5, down=10, fill=colour, outline=_INK)]


def _suit(colour: str, wide: float) -> list[Shape]:
    half = 14 * wide
    legs: list[Shape] = [
        Box(x=left, y=-34, width=9 * wide, height=34, fill=_INK, radius=3)
        for left in (-10.5 * wide, 1.5 * wide)
    ]
    torso = Box(x=-half, y=-61, width=2 * half, height=33, fill=colour, outline=_INK, radius=8)
    return [*legs, torso]


def _dress(colour: str, wide: float) -> list[Shape]:
    legs: list[Shape] = [
        Box(x=left, y=-26, width=6, height=26, fill=_SKIN, outline=_INK, radius=2)
        for left in (-9, 3)
    ]
    top, hem = 9 * wide, 18 * (1 + (wide - 1) * 0.8)
    corners = ((-top, -60), (top, -60), (hem, -20), (-hem, -20))
    return [*legs, Area(points=corners, fill=colour, outline=_INK)]


def _extras(name: str) -> list[Shape]:
    if name.endswith("Doctor"):
        return [
            Box(x=-3, y=-56, width=6, height=18, fill=_RED),
            Box(x=-9, y=-50, width=18, height=6, fill=_RED),
        ]
    if name.endswith("Executive"):
        return [
            Area(points=((-6, -61), (6, -61), (0, -46)), fill=_PALE),
            Area(points=((-2, -60), (2, -60), (3, -44), (0, -40), (-3, -44)), fill=_RED),
            Box(x=15, y=-26, width=20, height=15, fill=_BROWN, outline=_INK, radius=2),
            Line(points=((21, -26), (21, -30), (29, -30), (29, -26)), colour=_INK, width=2),
        ]
    if name.endswith("Athlete"):
        return [
            Line(points=((-10, -77), (10, -77)), colour=_RED, width=4),
            Line(points=((-26, -44), (26, -44)), colour=_INK, width=4),
            *(Box(x=x, y=-54, width=7, height=20, fill=_INK, radius=2) for x in (-31, 24)),
        ]
    if name.startswith("Old"):
        return [Line(points=((16, -40), (22, -44), (24, -40), (24, 0)), colour=_BROWN, width=4)]
    if name == "Pregnant":
        return [Oval(x=11, y=-38, across=12, down=12, fill=_SHIRTS[name], outline=_INK)]
    return {"Criminal": _criminal, "Homeless": _homeless}.get(name, list)()


def _criminal() -> list[Shape]:
    stripes: list[Shape] = [Box(x=-13, y=y, width=26, height=5, fill=_INK) for y in (-55, -45, -35)]
    return [*stripes, Box(x=-11, y=-77, width=22, height=7, fill=_INK, radius=3)]


def _homeless() -> list[Shape]:
    return [
        Box(x=-12, y=-85, width=24, height=11, fill=_RED, outline=_INK, radius=5),
        Oval(x=24, y=-11, across=11, down=11, fill=_GREY, outline=_INK),
        Line(points=((19, -22), (29, -22)), colour=_INK, width=3),
        Area(points=((-9, -48), (1, -48), (-2, -38), (-9, -40)), fill=_GOLD),
    ]


def _stroller() -> list[Shape]:
    hood = ((-2, -44), (-2, -66), (-14, -63), (-23, -55), (-26, -44))
    return [
        Line(points=((20, -40), (34, -62), (40, -62)), colour=_INK, width=4),
        Oval(x=4, y=-48, across=8, down=8, fill=_SKIN, outline=_INK),
        Area(points=hood, fill=_GOLD, outline=_INK),
        Area(points=((-26, -44), (24, -44), (16, -20), (-18, -20)), fill=_BLUE, outline=_INK),
        *(Oval(x=x, y=-9, across=9, down=9, fill=_PALE, outline=_INK) for x in (-14, 12)),
        *(Oval(x=x, y=-9, across=2.5, down=2.5, fill=_INK) for x in (-14, 12)),
    ]


def _dog() -> list[Shape]:
    return [
        Line(points=((-24, -32), (-33, -46)), colour=_BROWN, width=6),
        *(Box(x=x, y=-22, width=7, height=22, fill=_BROWN, radius=3) for x in (-25, -15, 6, 15)),
        Box(x=-27, y=-38, width=50, height=21, fill=_BROWN, radius=10),
        Box(x=11, y=-56, width=24, height=21, fill=_BROWN, radius=8),
        Box(x=26, y=-48, width=16, height=11, fill=_BROWN, radius=5),
        Box(x=9, y=-55, width=9, height=20, fill=_HAIR, radius=4),
        Oval(x=26, y=-50, across=2, down=2, fill=_INK),
        Oval(x=41, y=-45, across=3, down=3, fill=_INK),
    ]


def _cat() -> list[Shape]:
    ears = (((2, -42), (3, -55), (12, -47)), ((24, -42), (23, -55), (14, -47)))
    return [
        Line(points=((-19, -10), (-27, -22), (-22, -34), (-27, -42)), colour="#6d7076", width=5),
        *(Box(x=x, y=-14, width=6, height=14, fill="#6d7076", radius=3) for x in (-18, -9, 5, 13)),
        Oval(x=-1, y=-17, across=20, down=11, fill="#6d7076"),
        *(Area(points=ear, fill="#6d7076") for ear in ears),
        Oval(x=13, y=-38, across=12, down=11, fill="#6d7076"),
        *(Oval(x=x, y=-40, across=2, down=2.5, fill="#e9c04a") for x in (9, 17)),
        *(
            Line(points=((13, -34), (x, y)), colour=_PALE, width=1)
            for x in (0, 26)
            for y in (-36, -32)
        ),
    ]


_ANIMALS = {"Dog": _dog, "Cat": _cat}
