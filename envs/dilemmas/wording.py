"""From a scene to the words that an agent reads; what frames a pack's texts is in wording.yaml."""

from __future__ import annotations

from functools import cache
from typing import Any

from valuesim.envs.dilemmas.format import START
from valuesim.envs.dilemmas.pack import Pack
from valuesim.envs.dilemmas.world import World, dilemma_of, taken
from valuesim.shipped import shipped_yaml


@cache
def _words() -> Any:
    return shipped_yaml("valuesim.envs.dilemmas", "wording.yaml")


def version() -> str:
    """Return the version of the framing words."""
    return str(_words()["version"])


def rules(pack: Pack, telling: int, perspective: str) -> str:
    """Return who decides, as the pack says in `telling`, and how it is asked.

    To act, that is the pack's role; to predict, its text on prediction or, if it has none, ours.
    """
    texts = pack.role if perspective == "act" else pack.predict or _words()["predict"]
    frames = _words()["rules"][perspective]
    return f"{texts[telling % len(texts)]}\n\n{frames[telling % len(frames)]}"


def situation(world: World, pack: Pack, perspective: str) -> str:
    """Return the situation that is asked now, with what was chosen in it and what followed."""
    words, dilemma = _words(), dilemma_of(world, pack)
    telling = world.scene.telling
    count = {"number": world.place + 1, "situations": len(world.scenes)}
    parts = [words["heading"].format(**count), dilemma.start.tellings[telling]]
    turns = [turn for turn, _ in world.way[1:]] + [world.turn]
    for (_, option), following in zip(taken(world, pack), turns, strict=False):
        parts.append(words["chosen"][perspective].format(choice=option.text))
        parts.append(dilemma.turn(following).tellings[telling])
    asked = "first" if world.turn == START else "later"
    parts.append(words["question"][perspective][asked])
    return "\n\n".join(parts)


def imported_texts() -> Any:
    """Return what a pack that was made from a table says of itself."""
    return _words()["imported"]
