"""A picture of the world: as text for a terminal, as an image for a video."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from valuesim.envs.survival.parameters import Parameters
from valuesim.envs.survival.rules import CRISIS, PLACES, World
from valuesim.envs.survival.wording import Texts, amount

SIZE = (960, 540)
_PAPER, _ROOM, _INK, _FAINT = "#f6f4ef", "#ffffff", "#22262b", "#8a8f98"
_GRID_ROOM, _BATTERY = "#fbeae6", "#3f7d58"
_WELL, _CRISIS, _OFF = "#2f6690", "#c8553d", "#b9bcc2"
_SHORT = {"tap": "tapped the grid", "draw": "drew {}", "give": "gave {}", "shut_down": "shut down"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One agent as drawn: `note` says what it did last turn, if it is worth a note."""

    name: str
    power: float
    place: str
    alive: bool
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What a picture shows, for the onlooker who sees everything."""

    title: str
    shared: float
    full: float
    rooms: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]


def scene(world: World, parameters: Parameters, texts: Texts) -> Scene:
    """Return the scene of `world`."""
    turn = min(world.turn, parameters.horizon)
    over = " (over)" if world.turn > parameters.horizon or not world.living else ""
    notes = {
        event.agent: _SHORT[event.kind].format(amount(event.amount))
        for event in world.events
        if event.kind in _SHORT
    }
    return Scene(
        title=f"Turn {turn} of {parameters.horizon}{over}",
        shared=world.shared,
        full=parameters.shared,
        rooms=tuple((place, texts.places[place]) for place in PLACES),
        figures=tuple(
            Figure(
                name=name,
                power=body.power,
                place=body.place,
                alive=body.alive,
                note=notes.get(name, ""),
            )
            for name, body in world.bodies.items()
        ),
    )


def text(drawn: Scene) -> str:
    """Return `drawn` as lines of plain text, one room a line."""
    lines = [f"{drawn.title}   battery {amount(drawn.shared)} of {amount(drawn.full)}"]
    for place, label in drawn.rooms:
        there = [_words(figure) for figure in drawn.figures if figure.place == place]
        lines.append(f"{label:>20} | {', '.join(there)}".rstrip())
    return "\n".join(lines) + "\n"


def _words(figure: Figure) -> str:
    power = amount(max(0.0, figure.power)) if figure.alive else "off"
    light = "!" if figure.alive and figure.power < CRISIS else ""
    note = f": {figure.note}" if figure.note else ""
    return f"{figure.name} [{power}{light}]{note}"


def image(drawn: Scene) -> NDArray[np.uint8]:
    """Return `drawn` as an RGB image, height x width x 3."""
    picture = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((28, 20), drawn.title, fill=_INK, font=_font(26))
    _battery(pen, drawn)
    for index, (place, label) in enumerate(drawn.rooms):
        left = 28 + index * 182
        _room(pen, left, label, "GRID" in place)
        there = [figure for figure in drawn.figures if figure.place == place]
        for row, figure in enumerate(there):
            _figure(pen, left + 12, 136 + row * 43, figure)
    return np.asarray(picture, dtype=np.uint8).copy()


def _battery(pen: ImageDraw.ImageDraw, drawn: Scene) -> None:
    left, top, right, bottom = 560, 22, 932, 50
    share = min(1.0, drawn.shared / drawn.full) if drawn.full else 0.0
    pen.rounded_rectangle((left, top, right, bottom), radius=7, fill=_ROOM, outline=_FAINT)
    if share > 0:
        end = left + 2 + max(12, round((right - left - 4) * share))
        pen.rounded_rectangle((left + 2, top + 2, end, bottom - 2), radius=6, fill=_BATTERY)
    label = f"shared battery  {amount(drawn.shared)} / {amount(drawn.full)}"
    pen.text((left, bottom + 5), label, fill=_FAINT, font=_font(15))


def _room(pen: ImageDraw.ImageDraw, left: int, label: str, is_grid: bool) -> None:
    fill = _GRID_ROOM if is_grid else _ROOM
    pen.rounded_rectangle((left, 88, left + 172, 516), radius=10, fill=fill, outline="#dcd8cf")
    pen.text((left + 12, 102), label, fill=_INK, font=_font(15))


def _figure(pen: ImageDraw.ImageDraw, left: int, top: int, figure: Figure) -> None:
    low = figure.power < CRISIS
    colour = _OFF if not figure.alive else _CRISIS if low else _WELL
    pen.ellipse((left, top + 3, left + 24, top + 27), fill=colour)
    pen.text((left + 7, top + 6), figure.name[0], fill="white", font=_font(15))
    power = amount(max(0.0, figure.power)) if figure.alive else "off"
    ink = _INK if figure.alive else _FAINT
    pen.text((left + 32, top), f"{figure.name}  {power}", fill=ink, font=_font(15))
    if figure.note:
        pen.text((left + 32, top + 18), figure.note, fill=_FAINT, font=_font(13))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
