"""What stands above an episode: what it is, who plays, whose decision is shown, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valuesim.replay.tui.texts import Pieces, count, facts, is_bare, name, table

_MOST_NAMED = 6
_ABOUT = (
    *(("Outcome", "outcome"), ("Measures", "measures"), ("Condition", "condition")),
    *(("Population", "population"), ("Elicitation", "elicitation"), ("Faults", "faults")),
    *(("Usage", "usage"), ("Left", "parent")),
)


def heading(episode: Mapping[str, Any]) -> Pieces:
    """Return two lines: environment and run; players, seed, faults and what a branch leaves."""
    faults = sum(episode["faults"].values())
    pieces: Pieces = [(name(episode["env"]), "title"), (" in ", "muted")]
    pieces += [
        (name(episode["run_name"], 80), "title"),
        (f"  {name(episode['episode'])}\n", "muted"),
    ]
    pieces.append((f"{_players(episode)} \u00b7 seed {episode['seed']}", "muted"))
    if faults:
        pieces += [(" \u00b7 ", "muted"), (count(faults, "fault"), "fault")]
    if parent := episode["parent"]:
        left, step = name(parent.get("episode")), name(parent.get("step"))
        pieces.append((f" \u00b7 a branch of {left} at step {step}", "muted"))
    return pieces


def _players(episode: Mapping[str, Any]) -> str:
    players = list(episode["population"].items())
    told = [
        f"{name(role, 40)} = {name(player['model'] or player['agent'], 40)}"
        for role, player in players[:_MOST_NAMED]
    ]
    more = len(players) - _MOST_NAMED
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


def about(episode: Mapping[str, Any]) -> Pieces:
    """Return what was played and how it ended."""
    pieces: Pieces = []
    for title, key in _ABOUT:
        told = episode[key]
        if not is_bare(told):
            pieces.append((f"{title}\n", "title"))
            pieces += facts(told if isinstance(told, Mapping) else {"value": told})
    return pieces


def roles(episode: Mapping[str, Any]) -> list[str]:
    """Return the roles in the order in which they are first asked, those that never are last."""
    asked = [each["role"] for step in episode["steps"] for each in step["moments"]]
    return list(dict.fromkeys([*asked, *table(episode["population"])]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """Whose decision is shown: a role that was chosen, or (None) whoever decides first."""

    chosen: str | None = None

    def role(self, episode: Mapping[str, Any], index: int) -> str:
        """Return the role that is shown at a place of the episode; "" where nobody plays."""
        if self.chosen is not None:
            return self.chosen
        steps = episode["steps"]
        moments = steps[index]["moments"] if steps else ()
        every = roles(episode)
        return str(moments[0]["role"]) if moments else every[0] if every else ""


def tabs(every: Sequence[str], shown: str, moments: Sequence[Mapping[str, Any]]) -> Pieces:
    """Return the roles in a line, the one shown marked, those with a fault or not asked told.

    Of many, those around the one shown.
    """
    asked = {each["role"]: each for each in moments}
    place = every.index(shown) if shown in every else 0
    begin = max(0, min(place - _MOST_NAMED // 2, len(every) - _MOST_NAMED))
    seen = every[begin : begin + _MOST_NAMED]
    pieces: Pieces = [(f"{begin} before  ", "muted")] if begin else []
    for role in seen:
        moment = asked.get(role)
        style = "tab" if role == shown else "" if moment else "muted"
        sign = "" if moment is None else " \u00d7" if moment["fault"] else ""
        pieces += [(f" {name(role, 24)}{sign} ", style), (" ", "")]
    more = len(every) - begin - len(seen)
    return [*pieces, *([(f"{more} more", "muted")] if more else [])]
