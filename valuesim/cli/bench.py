"""`valuesim bench`: play a whole suite with one entry, resumably, and write its card."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from valuesim.cli.benched import Bench, bench_of, played, settle, stored, without
from valuesim.cli.ending import STOPPED, as_json, exit_code, sentence, tell_how_to_go_on
from valuesim.cli.run import play_into, run_folder
from valuesim.cli.terminal import check_json_target, clean, print_table, write_json
from valuesim.config import RunConfig
from valuesim.engine import Summary
from valuesim.engine.outlay import outlay
from valuesim.engine.prices import price_of
from valuesim.errors import InputError
from valuesim.log.reader import read_run
from valuesim.log.whole import whole
from valuesim.suites import Card, card_of, load_suite
from valuesim.suites.definition import measures
from valuesim.suites.pages import card_page, card_text, told, told_interval
from valuesim.suites.schema import to_json, written

_HOUR_S = 3600


def main(arguments: argparse.Namespace) -> int:
    """Play what is missing, write the card, and return 0 if all is finished, else 1, or 130."""
    if arguments.card is not None:
        return _remake(arguments)
    if not arguments.given:
        raise InputError("name a suite: `valuesim list suites` lists them")
    bench = bench_of(load_suite(arguments.given[0]), arguments.given[1:], is_quick=arguments.quick)
    now = datetime.now()
    folder = run_folder(bench.name, now)
    check_json_target(arguments.json, folder)
    settle(folder, bench, arguments.date, now.date().isoformat())
    summaries: dict[str, Summary] = {}
    try:
        code = _play(folder, bench, summaries, debug=arguments.debug)
    except KeyboardInterrupt:
        _tell_how_to_go_on(bench, folder)
        raise
    runs = {name: as_json(each) for name, each in summaries.items()}
    if any(each.finished for each in summaries.values()):
        card = _card(folder, arguments.date)
        _write(card, folder)
        _tell(card, folder, arguments.json, runs)
    elif arguments.json:
        write_json({"schema": 1, "bench": str(folder), "card": None, "runs": runs}, arguments.json)
    if code:
        _tell_how_to_go_on(bench, folder)
    return code


def _remake(arguments: argparse.Namespace) -> int:
    if arguments.given or arguments.quick:
        raise InputError("--card FOLDER remakes a card from logs: leave out everything else")
    folder = arguments.card
    card = _card(folder, arguments.date)
    _write(card, folder)
    _tell(card, folder, arguments.json, {})
    return 0 if card.is_whole else 1


def _play(folder: Path, bench: Bench, summaries: dict[str, Summary], *, debug: bool) -> int:
    """Play the parts in their order, and return the exit code of the first that does not finish."""
    began = monotonic()
    for place, (name, config) in enumerate(bench.configs.items(), start=1):
        others = {part: each for part, each in bench.configs.items() if part != name}
        tokens, dollars = _spent(folder, others)
        hours = (monotonic() - began) / _HOUR_S
        left = without(config, tokens=tokens, dollars=dollars, hours=hours)
        if left is None:
            _note(f"the budget is spent: {name} and what follows it are not played")
            return 1
        told = next(part.told for part in bench.suite.parts if part.name == name)
        _note(f"part {place} of {len(bench.configs)}, {name}: {told}")
        summary = summaries[name] = play_into(folder / name, left, debug=debug)
        _note(sentence(summary, folder / name))
        # a server that was away for a moment may be back for the next part
        if (code := exit_code(summary)) and (code == STOPPED or summary.spent):
            return code
    return max((exit_code(each) for each in summaries.values()), default=0)


def _spent(folder: Path, parts: Mapping[str, RunConfig]) -> tuple[int, float]:
    """Return the tokens and US dollars that all sessions of `parts` have spent, at least."""
    tokens, dollars = 0, 0.0
    for name, config in parts.items():
        if not (folder / name / "run.yaml").is_file():
            continue
        if (known := outlay(read_run(folder / name))) is not None:
            least = known.least(price_of(config.model))
            tokens, dollars = tokens + least.tokens, dollars + least.dollars
    return tokens, dollars


def _card(folder: Path, date: str | None) -> Card:
    began = stored(folder)
    return card_of(
        began.suite,
        played(folder, began),
        digest=began.digest,
        is_quick=began.is_quick,
        date=date or began.date,
    )


def _write(card: Card, folder: Path) -> None:
    contents = {
        "card.json": written(card),
        "card.html": card_page(card).encode(),
        "card.md": card_text(card).encode(),
    }
    for name, content in contents.items():
        with whole(folder / name) as draft:
            draft.write_bytes(content)


def _tell(card: Card, folder: Path, json: str | None, runs: Mapping[str, Any]) -> None:
    if json:
        write_json({"schema": 1, "bench": str(folder), "card": to_json(card), "runs": runs}, json)
    if json == "-":
        return
    status = "" if card.is_whole else ", not finished"
    status += ", a quick look that is no result" if card.is_quick else ""
    print_table(
        f"{card.entry.name} in {card.suite}{status}",
        ("figure", "value", "95 % interval", "n", "of"),
        _rows(card),
    )
    print(clean(f"archetype: {card.archetype.name}: {card.archetype.why}"))
    for line in card.missing:
        print(clean(f"missing: {line}"))
    print(f"wrote {folder / 'card.html'}, card.json and card.md")


def _rows(card: Card) -> Iterator[tuple[object, ...]]:
    for name, measure in measures().items():
        figure = card.figures[name]
        interval = told_interval(figure, measure)
        yield (
            measure.title,
            told(figure, measure),
            interval or figure.why or "",
            figure.n,
            measure.of,
        )


def _tell_how_to_go_on(bench: Bench, folder: Path) -> None:
    quick = ["--quick"] if bench.is_quick else []
    tell_how_to_go_on([bench.suite.id, *quick, *bench.overrides], folder, command="bench")


def _note(line: str) -> None:
    print(f"valuesim: {clean(line)}", file=sys.stderr)
