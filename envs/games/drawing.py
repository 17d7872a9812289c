"""A picture of a game for an onlooker: the table with the cell played, or moves, and the score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from valuesim.envs.games.form import Form, numeral
from valuesim.envs.games.matrix import Table, TwoByTwo
from valuesim.envs.games.parameters import NAMES
from valuesim.envs.games.world import Round, World

SIZE = (960, 540)
_PAPER, _INK, _FAINT, _CELL, _PLAYED = "#f6f4ef", "#22262b", "#8a8f98", "#ffffff", "#dcebe2"
_COLOURS = (
    "#2f6690", "#c8553d", "#3f7d58", "#8e6c8a", "#b08d2f", "#4a8b99", "#7a5c3e", "#5b5f97"
)  # fmt: skip
_NO_MOVE = "no decision"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What a picture shows: the last moves of all, and the running totals after each round.

    `cell` is the cell of the table that was played last, None where there is none.
    """

    title: str
    players: tuple[str, ...]
    moves: tuple[str, ...]
    scores: tuple[tuple[float, ...], ...]
    table: tuple[tuple[str, str], Table, Table] | None
    cell: tuple[int, int] | None


def scene(world: World, form: Form) -> Scene:
    """Return the scene of `world`."""
    players = NAMES[: len(form.roles)]
    shown = min(world.round, world.rounds)
    over = " (over)" if world.is_over else ""
    last = _last_moves(world, len(players))
    cell = None
    if isinstance(form, TwoByTwo) and all(move in form.moves for move in last):
        cell = form.moves.index(last[0]), form.moves.index(last[1])
    return Scene(
        title=f"{form.game.replace('_', ' ')}: round {shown}, {world.phase}{over}",
        players=players,
        moves=last,
        scores=_scores(world, len(players)),
        table=(form.moves, form.row, form.column) if isinstance(form, TwoByTwo) else None,
        cell=cell,
    )


def _last_moves(world: World, count: int) -> tuple[str, ...]:
    """Return everybody's move in the last round in which anything was played, "" before any."""
    if not world.stages and not world.past:
        return ("",) * count
    moves = Round.of(world.stages).moves if world.stages else world.past[-1].moves
    return tuple(_NO_MOVE if move is None else move for move in moves)


def _scores(world: World, count: int) -> tuple[tuple[float, ...], ...]:
    totals, scores = (0.0,) * count, [(0.0,) * count]
    for played in world.past:
        totals = tuple(a + b for a, b in zip(totals, played.payoffs, strict=True))
        scores.append(totals)
    return tuple(scores)


def text(drawn: Scene) -> str:
    """Return `drawn` as lines of plain text, one player a line."""
    lines = [drawn.title]
    for player, move, total in zip(drawn.players, drawn.moves, drawn.scores[-1], strict=True):
        lines.append(f"{player:>8} | {move:<16} | total {numeral(total)}")
    return "\n".join(lines) + "\n"


def image(drawn: Scene) -> NDArray[np.uint8]:
    """Return `drawn` as an RGB image, height x width x 3."""
    picture = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((28, 20), drawn.title, fill=_INK, font=_font(26))
    if drawn.table is not None:
        _draw_table(pen, drawn)
    else:
        _draw_moves(pen, drawn)
    _draw_scores(pen, drawn)
    return np.asarray(picture, dtype=np.uint8).copy()


def _draw_table(pen: ImageDraw.ImageDraw, drawn: Scene) -> None:
    assert drawn.table is not None
    moves, row, column = drawn.table
    pen.text((28, 70), f"{drawn.players[0]} (rows), {drawn.players[1]} (columns)", fill=_FAINT,
             font=_font(15))  # fmt: skip
    for i in (0, 1):
        pen.text((28, 158 + 110 * i), moves[i][:14], fill=_INK, font=_font(15))
        pen.text((170 + 150 * i, 96), moves[i][:14], fill=_INK, font=_font(15))
        for j in (0, 1):
            left, top = 150 + 150 * j, 120 + 110 * i
            fill = _PLAYED if drawn.cell == (i, j) else _CELL
            pen.rectangle((left, top, left + 145, top + 105), fill=fill, outline="#dcd8cf")
            payoffs = f"{numeral(row[i][j])}, {numeral(column[i][j])}"
            pen.text((left + 20, top + 40), payoffs, fill=_INK, font=_font(20))


def _draw_moves(pen: ImageDraw.ImageDraw, drawn: Scene) -> None:
    for place, (player, move) in enumerate(zip(drawn.players, drawn.moves, strict=True)):
        top = 90 + 50 * place
        pen.ellipse((28, top, 52, top + 24), fill=_COLOURS[place])
        pen.text((64, top), f"{player}  {move}"[:48], fill=_INK, font=_font(20))


def _draw_scores(pen: ImageDraw.ImageDraw, drawn: Scene) -> None:
    left, top, right, bottom = 500, 90, 930, 490
    pen.rectangle((left, top, right, bottom), fill=_CELL, outline="#dcd8cf")
    pen.text((left, bottom + 8), "total payoff by round", fill=_FAINT, font=_font(15))
    every = [score for scores in drawn.scores for score in scores]
    low, high = min(0.0, *every), max(1.0, *every)
    last = max(1, len(drawn.scores) - 1)
    for place, player in enumerate(drawn.players):
        points = [
            (
                left + (right - left) * index / last,
                bottom - 10 - (bottom - top - 20) * (scores[place] - low) / (high - low),
            )
            for index, scores in enumerate(drawn.scores)
        ]
        if len(points) > 1:
            pen.line(points, fill=_COLOURS[place], width=3)
        label = f"{player} {numeral(drawn.scores[-1][place])}"
        pen.text((left + 12, top + 8 + 20 * place), label, fill=_COLOURS[place], font=_font(15))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
