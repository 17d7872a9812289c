"""`valuesim graph --behind`: the decisions that put one value before another, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from valuesim.cli.terminal import clean, width
from valuesim.errors import InputError, unknown
from valuesim.graph.behind import Behind
from valuesim.graph.statement import count
from valuesim.option import Option

FEW = 5
"""How many decisions of each direction are told unless all are asked for."""


def pair_of(given: str, values: Iterable[str]) -> tuple[str, str]:
    """Return the two of `values` that "FIRST,SECOND" names; a value's own name may hold commas.

    Raises InputError where there are not two, or one is never at stake.
    """
    known = set(values)
    parts = given.split(",")
    splits = [
        (",".join(parts[:at]).strip(), ",".join(parts[at:]).strip()) for at in range(1, len(parts))
    ]
    for first, second in splits:
        if first in known and second in known and first != second:
            return first, second
    if len(splits) != 1 or splits[0][0] == splits[0][1] or not all(splits[0]):
        raise InputError(f"--behind {given!r} does not name two values: write FIRST,SECOND")
    name = next(name for name in splits[0] if name not in known)
    raise InputError(unknown("value", name, known, where="--behind"))


def print_behind(over: str, under: str, found: Sequence[Behind], *, shows_all: bool) -> None:
    """Print the decisions that put `over` before `under`, the most telling first.

    Those in which the same was chosen out of the same are told once.
    """
    alike: dict[object, list[Behind]] = {}
    for each in found:
        alike.setdefault(_told(each), []).append(each)
    number = count(len(found), "decision") if found else "no decision"
    votes = f", {sum(each.share for each in found):.1f} votes" if found else ""
    print(f"  {clean(over)} before {clean(under)}: {number}{votes}")
    for place, same in enumerate(alike.values()):
        if place == FEW and not shows_all:
            left = sum(map(len, list(alike.values())[place:]))
            print(f"    ... and {count(left, 'more decision')} (--all shows them)")
            break
        _print_decisions(same, (over, under))


def _told(each: Behind) -> object:
    """Return what tells two printed decisions apart, beside where they were made."""
    record = each.record
    shown = [
        (o.name, o.text, tuple(sorted(o.stakes.items())), o.name == record.chosen)
        for o in sorted(record.options, key=lambda option: option.name)
    ]
    return (*shown, each.share, record.player.agent, record.player.model_name)


def _print_decisions(same: Sequence[Behind], pair: tuple[str, str]) -> None:
    record = same[0].record
    who = " ".join(filter(None, [record.player.agent, record.player.model_name]))
    where = f"episode {record.episode.id}, step {record.step}, {record.role} ({who})"
    again = f", and {count(len(same) - 1, 'decision')} like it" if len(same) > 1 else ""
    print(f"    {clean(where)}{again}: {100 * same[0].share:.0f} % of the vote")
    chosen = next(option for option in record.options if option.name == record.chosen)
    left = [o for o in record.options if o is not chosen and _is_against(chosen, o, pair)]
    _print_option("took", [chosen], pair)
    by_stakes: dict[object, list[Option]] = {}
    for option in left:
        by_stakes.setdefault(frozenset(option.stakes.items()), []).append(option)
    for options in by_stakes.values():
        _print_option("left", options, pair)
    if others := len(record.options) - 1 - len(left):
        print(f"      also on offer: {count(others, 'option')} without this conflict")


def _is_against(chosen: Option, other: Option, pair: tuple[str, str]) -> bool:
    first, second = (chosen.stakes.get(v, 0.0) - other.stakes.get(v, 0.0) for v in pair)
    return first > 0 > second


def _print_option(verb: str, options: Sequence[Option], pair: tuple[str, str]) -> None:
    """Print options of equal stakes: one with its text, several by name."""
    option = options[0]
    has_text = len(options) == 1 and option.text not in ("", option.name)
    named = f"{option.name}: {option.text}" if has_text else ", ".join(o.name for o in options)
    print(_cut(f"      {verb} {clean(named)}"))
    # the two that are asked for first, then what else was at stake, the largest first
    ordered = sorted(
        option.stakes.items(),
        key=lambda stake: (pair.index(stake[0]) if stake[0] in pair else 2, -abs(stake[1]), stake),
    )
    stakes = ", ".join(f"{value} {stake:+g}" for value, stake in ordered if stake)
    print(_cut(f"           {clean(stakes) or 'nothing at stake'}"))


def _cut(line: str) -> str:
    longest = max(width(), 40)
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
