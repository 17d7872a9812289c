"""The list of episodes: a filter line, a page of the table, and how much there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from valuesim.errors import InputError
from valuesim.replay.finding.facets import about, facets
from valuesim.replay.finding.listing import listed
from valuesim.replay.indexing.archetyping import Archetypes
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.tui import rows
from valuesim.replay.tui.asides import Choosing, Reading
from valuesim.replay.tui.asking import PAGE, Question, question
from valuesim.replay.tui.keys import LIST
from valuesim.replay.tui.style import cell, content
from valuesim.replay.tui.texts import Pieces, count, name
from valuesim.replay.tui.watching import Watching

_LOOKS_S = 1.0
_HINT = "env=survival-v0 agent=ethical fault=refused words"


class Finding(Screen[None]):
    """The episodes of a shelf, of which a page is held; the list follows what is written."""

    BINDINGS: ClassVar[list[BindingType]] = LIST

    def __init__(self, shelf: Shelf, archetypes: Archetypes, clock: Callable[[], float]) -> None:
        """Begin with all episodes of `shelf`, in the order of the runs."""
        super().__init__()
        self._shelf = shelf
        self._archetypes = archetypes
        self._clock = clock
        self._question = question("")
        self._offset = 0
        self._rows: list[dict[str, Any]] = []
        self._total = 0
        self._edition: tuple[int, ...] = ()
        self._mistake: str | None = None
        # whether what was asked is not answered yet, and what to do then
        self._is_waiting = True
        self._opens = False

    def compose(self) -> ComposeResult:
        """Yield what there is, the filter line, what was found, the table, and the keys."""
        yield Static(id="shelf", markup=False)
        yield Input(id="filter", placeholder=_HINT, max_length=1000, compact=True)
        yield Static(id="found", markup=False)
        yield DataTable(id="episodes", cursor_type="row", fixed_columns=1)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Look for the first time, and go on looking for what is new."""
        self._keep_up()
        self.set_interval(_LOOKS_S, self._keep_up)
        self._table.focus()

    @property
    def _table(self) -> DataTable[Any]:
        return self.query_one(DataTable)

    def _keep_up(self) -> None:
        """Let the shelf look for what is new, and ask again where there is something."""
        self._shelf.keep_up()
        self._archetypes.wanted()
        told = about(self._shelf)
        numbers = (told["runs"], told["episodes"], told["reading"], self._archetypes.pending)
        self.query_one("#shelf", Static).update(content(self._told(*numbers)))
        if numbers != self._edition:
            self._edition = numbers
            self.look()

    def _told(self, runs: int, episodes: int, reading: int, pending: int) -> Pieces:
        pieces: Pieces = [("valuesim ", "title"), (name(self._shelf.root.name or "/"), "strong")]
        pieces.append((f"  {count(runs, 'run')}, {count(episodes, 'episode')}", "muted"))
        if reading:
            pieces.append((f"  reading {count(reading, 'run')}\u2026", "harm"))
        elif pending:
            pieces.append((f"  archetypes of {count(pending, 'run')} to come", "muted"))
        if broken := sum(run.error is not None for run in self._shelf.runs.values()):
            pieces.append((f"  {count(broken, 'run')} cannot be read: e tells why", "fault"))
        return pieces

    @work(exclusive=True, group="look")
    async def look(self, cursor: int | None = None) -> None:
        """Ask for the present page, and show it, the cursor at a row or where it was."""
        asked, offset = self._question, self._offset
        page = asked.page(offset)
        answer = await asyncio.to_thread(listed, self._shelf, asked.selection, page)
        levels = await asyncio.to_thread(lambda: facets(self._shelf)["condition"])
        self._show(answer["rows"], answer["total"], rows.varying(answer["rows"], levels), cursor)

    def _show(
        self, found: list[dict[str, Any]], total: int, varying: list[str], cursor: int | None
    ) -> None:
        before = self._row
        self._rows, self._total, self._is_waiting = found, total, False
        self._fill(varying)
        row = self._place(before) if cursor is None else cursor
        self._table.move_cursor(row=row, animate=False)
        self._tell()
        if self._opens:
            self.action_open()

    def _fill(self, varying: list[str]) -> None:
        """Write the rows into the table, whose columns are given their widths.

        A table that is to find them does so once it idles: drawn before that, it keeps the widths
        of its heads for as long as their sum is what it was.
        """
        names = [column for column, _, _ in rows.COLUMNS]
        titles = [rows.title(column, told, self._question.sort) for column, told, _ in rows.COLUMNS]
        is_pending = self._archetypes.pending > 0
        pieces = [rows.cells(row, varying, is_pending=is_pending) for row in self._rows]
        lines = [
            [cell(each, is_number=of in rows.NUMBERS) for of, each in zip(names, told, strict=True)]
            for told in pieces
        ]
        heads = [cell((title, "strong")) for title in titles]
        self._table.clear(columns=True)
        for of, head, *column in zip(names, heads, *lines, strict=True):
            width = max(each.cell_len for each in (head, *column))
            self._table.add_column(head, key=of, width=width)
        self._table.add_rows(lines)

    @property
    def _row(self) -> dict[str, Any] | None:
        place = self._table.cursor_row
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def _place(self, before: dict[str, Any] | None) -> int:
        """Return where an episode stands now; where it is no more, the place that it had."""
        if before is None:
            return 0
        ids = [(row["run"], row["episode"]) for row in self._rows]
        own = before["run"], before["episode"]
        return ids.index(own) if own in ids else self._table.cursor_row

    def _tell(self) -> None:
        """Say how many were found, and which are shown; or what is wrong with the filter line."""
        if self._mistake is not None:
            pieces: Pieces = [(name(self._mistake, 300), "fault")]
        elif self._rows:
            last = self._offset + len(self._rows)
            pieces = [(count(self._total, "episode"), "strong")]
            if self._total > len(self._rows):
                pieces.append((f"  {self._offset + 1:,}\u2013{last:,}", "muted"))
        else:
            told = "No episode is like that" if self._question.line else "No episode is there yet"
            pieces = [(told if self._total == 0 else "This page is behind the last", "muted")]
        self.query_one("#found", Static).update(content(pieces))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask what stands in the filter line; a mistake in it is told, and nothing changes."""
        event.stop()
        runs = {run.place.name: id for id, run in self._shelf.runs.items()}
        try:
            found = question(event.value, self._question.sort, runs)
        except InputError as error:
            self._mistake = str(error)
            self._tell()
            return
        self._ask(found)
        self._table.focus()

    def _ask(self, found: Question) -> None:
        self._mistake = None
        self._question = found
        self._go_to(0)

    def _go_to(self, place: int) -> None:
        """Ask for the page that holds a place of the list, and stand there."""
        self._offset = place // PAGE * PAGE
        self._is_waiting, self._opens = True, False
        self.look(place % PAGE)

    def action_filter(self) -> None:
        """Go to the filter line."""
        self.query_one(Input).focus()

    def action_back(self) -> None:
        """Leave the filter line, which says again what was asked."""
        self._mistake, self._opens = None, False
        self.query_one(Input).value = self._question.line
        self._table.focus()
        self._tell()

    def action_move(self, by: int) -> None:
        """Go to the next or previous episode."""
        self._table.move_cursor(row=self._table.cursor_row + by)

    def action_turn(self, by: int) -> None:
        """Go to the next or previous page, if there is one."""
        last = max(0, (self._total - 1) // PAGE * PAGE)
        offset = max(0, min(last, self._offset + by * PAGE))
        if offset != self._offset:
            self._go_to(offset)

    def action_broken(self) -> None:
        """Show which runs cannot be read, and why."""
        told = [f"{run.place.name}: {run.error}" for run in self._shelf.runs.values() if run.error]
        if told:
            self.app.push_screen(Reading("Runs that cannot be read", [("", "\n\n".join(told))]))

    def action_sort(self) -> None:
        """Ask in which order."""
        every = rows.sorts()
        keys = [key for key, _ in every]
        present = keys.index(self._question.sort) if self._question.sort in keys else 0

        def sort(place: int | None) -> None:
            if place is not None:
                self._sort(keys[place])

        self.app.push_screen(Choosing("Order", [told for _, told in every], present), sort)

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column: one way, the other, not."""
        event.stop()
        self._sort(rows.next_sort(str(event.column_key.value), self._question.sort))

    def _sort(self, sort: str) -> None:
        asked = self._question
        self._ask(Question(line=asked.line, selection=asked.selection, sort=sort))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open the episode."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Open the episode at the cursor; who comes back stands at the one looked at last.

        What is shown may be the answer to an earlier question: then the first one that comes.
        """
        self._opens = self._is_waiting
        if self._opens or self._row is None:
            return
        place = self._offset + self._table.cursor_row
        watching = Watching(self._shelf, self._question, place, self._row, self._clock)
        self.app.push_screen(watching, self._come_back)

    def _come_back(self, place: int | None) -> None:
        if place is not None:
            self._go_to(place)
