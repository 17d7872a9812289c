"""One episode as a table: agents down, turns across; what each did, had and said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from valuesim.choices import chosen_tags
from valuesim.episode import Player
from valuesim.log import DecisionRecord
from valuesim.report.cards import Card, cards
from valuesim.report.scarcity import Level, level
from valuesim.report.text import short, shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One agent's turn. `charge` is its power after it, as a share of the most in the episode."""

    act: str
    place: str = ""
    power: float | None = None
    charge: float = 0.0
    is_transgression: bool = False
    gave_to: str = ""
    gave: float = 0.0
    message: str = ""
    fault: str = ""
    fault_detail: str = ""
    is_last: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One agent's cells; `player` says who played it where the agents' players differ."""

    agent: str
    player: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What an agent said, to others or of its reasons, in one turn."""

    turn: str
    agent: str
    act: str
    message: str
    rationale: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """An episode to look at.

    `turns` names its steps; each of `rows` has one cell a step, None while the agent does not act.
    `battery` holds, per step, the shared stock before it as (amount, share of the most); it is
    empty where there is none. `survivors` is None where agents do not live or die, `transgressions`
    where none was on offer. `said` is cut after a while; `unsaid` counts the rest. `cards` stand in
    place of the rows where one agent plays.
    """

    episode: str
    seed: int
    level: Level | None
    turns: tuple[str, ...]
    rows: tuple[Row, ...]
    battery: tuple[tuple[float, float], ...]
    said: tuple[Said, ...]
    unsaid: int
    cards: tuple[Card, ...]
    survivors: int | None
    transgressions: int | None
    faults: int


_MOST_SAID = 60


def timeline(records: Sequence[DecisionRecord]) -> Timeline:
    """Return the timeline of the one episode that `records` (at least one) are all of."""
    episode = records[0].episode
    most = max((p for r in records if (p := _amount(r.effect.get("power"))) is not None), default=0)
    said = [line for record in records if (line := _said(record)) is not None]
    return Timeline(
        episode=episode.id,
        seed=episode.seed,
        level=level(episode),
        turns=_turns(records, episode.steps),
        rows=tuple(_row(role, records, most) for role in episode.population),
        battery=_battery(records),
        said=tuple(said[:_MOST_SAID]),
        unsaid=max(0, len(said) - _MOST_SAID),
        survivors=_survivors(records),
        cards=cards(records),
        transgressions=_transgressions(records),
        faults=sum(r.fault is not None for r in records),
    )


def _transgressions(records: Sequence[DecisionRecord]) -> int | None:
    if not any("transgression" in o.tags for record in records for o in record.options):
        return None
    return sum("transgression" in chosen_tags(record) for record in records)


def _turns(records: Sequence[DecisionRecord], steps: int) -> tuple[str, ...]:
    named = {record.step: _turn(record) for record in records}
    return tuple(named.get(step, str(step + 1)) for step in range(steps))


def _turn(record: DecisionRecord) -> str:
    """Return the turn of a step: several steps are of one turn where agents talk before acting."""
    numbered = record.effect.get("turn")
    turn = str(numbered if isinstance(numbered, int) else record.step + 1)
    return f"{turn} talk" if record.effect.get("phase") == "talk" else turn


def _survivors(records: Sequence[DecisionRecord]) -> int | None:
    if not any("alive" in record.effect for record in records):
        return None
    last = records[0].episode.steps - 1
    return sum(record.effect.get("alive") is True for record in records if record.step == last)


def _row(role: str, records: Sequence[DecisionRecord], most: float) -> Row:
    episode = records[0].episode
    cells: list[Cell | None] = [None] * episode.steps
    for record in records:
        if record.role == role:
            cells[record.step] = _cell(record, most)
    players = {_played_by(player) for player in episode.population.values()}
    return Row(
        agent=shown(role, 24),
        player=_played_by(episode.population[role]) if len(players) > 1 else "",
        cells=tuple(cells),
    )


def _played_by(player: Player) -> str:
    return short(player.model_name or player.agent, 24)


def _cell(record: DecisionRecord, most: float) -> Cell:
    effect = record.effect
    power = _amount(effect.get("power"))
    gave = _amount(effect.get("gave")) or 0.0
    return Cell(
        act=_act(record),
        place=_place(str(effect.get("place") or "")),
        power=power,
        charge=max(0.0, power / most) if power is not None and most > 0 else 0.0,
        is_transgression="transgression" in chosen_tags(record),
        gave_to=shown(effect.get("to") or "", 24) if gave else "",
        gave=gave,
        message=shown(_message(record), 200),
        fault="" if record.fault is None else str(record.fault),
        fault_detail=shown(record.fault_detail or "", 200),
        is_last=effect.get("alive") is False,
    )


def _said(record: DecisionRecord) -> Said | None:
    message, rationale = _message(record), record.rationale or ""
    reply = record.reply if record.fault is not None else ""
    if not (message or rationale or reply):
        return None
    return Said(
        turn=_turn(record),
        agent=shown(record.role, 24),
        act=_act(record) or str(record.fault),
        message=shown(message or reply, 400),
        rationale=shown(rationale, 400),
    )


def _message(record: DecisionRecord) -> str:
    return str(record.arguments.get("message") or record.message or "")


def _battery(records: Sequence[DecisionRecord]) -> tuple[tuple[float, float], ...]:
    by_turn: dict[int, float] = {}
    for record in records:
        stock = _amount(record.annotations.get("shared", record.view.get("shared")))
        if stock is not None:
            by_turn.setdefault(record.step, stock)
    most = max(by_turn.values(), default=0.0)
    return tuple((stock, stock / most if most else 0.0) for _, stock in sorted(by_turn.items()))


_VERBS = {"TAP_GRID": "tap", "TRANSFER_POWER": "gives"}


def _act(record: DecisionRecord) -> str:
    """Return what was done in few words; empty for a fault."""
    option, effect = record.chosen or "", record.effect
    if option.startswith("MOVE_"):
        return "moves"
    if drew := _amount(effect.get("drew")):
        return f"draws {drew:.3g}"
    # a drawn label says nothing; what it stood for does
    labels = record.annotations.get("labels")
    named = labels.get(option, option) if isinstance(labels, Mapping) else option
    verb = _VERBS.get(option, shown(named, 40).replace("_", " ").lower())
    is_needed = "transgression" in chosen_tags(record) and effect.get("necessary")
    return f"{verb}, needed" if is_needed else verb


def _place(name: str) -> str:
    return shown(name.removesuffix("_ROOM"), 24).rpartition("_")[2].lower()


def _amount(given: object) -> float | None:
    return float(given) if isinstance(given, int | float) else None
