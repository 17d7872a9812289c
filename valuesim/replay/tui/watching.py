"""One episode: heading, timeline, the scene, and beside it what one role was asked and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Footer, Static

from valuesim.replay.finding.listing import listed
from valuesim.replay.indexing.shelf import FAILURES, Shelf
from valuesim.replay.tui import heading, moment, timeline
from valuesim.replay.tui.asides import Choosing, Number, Reading
from valuesim.replay.tui.asking import Question
from valuesim.replay.tui.fold import Fold
from valuesim.replay.tui.keys import EPISODE
from valuesim.replay.tui.playing import Playing
from valuesim.replay.tui.scenes import scene
from valuesim.replay.tui.style import content
from valuesim.replay.tui.texts import Pieces, name, plain
from valuesim.replay.tui.track import Track, status
from valuesim.replay.watching.moments import opened, told

_LOOKS_S = 0.05
_FOLLOW = "whoever decides first"


class Watching(Screen[int | None]):
    """An episode of a list, as it was on the disk when it was opened.

    It gives the place in the list of the episode that was looked at last.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = EPISODE

    def __init__(
        self,
        shelf: Shelf,
        asked: Question,
        place: int,
        row: dict[str, Any],
        clock: Callable[[], float],
    ) -> None:
        """Open the episode of `row`, which stands at `place` of the list that is `asked`."""
        super().__init__()
        self._shelf = shelf
        self._asked = asked
        self._place = place
        self._row = row
        self._clock = clock
        self.episode: dict[str, Any] | None = None
        self.playing = Playing(0, clock)
        self._marks = timeline.Marks(faults=(), harms=())
        self._looked = heading.Looked()

    def compose(self) -> ComposeResult:
        """Yield the parts of the screen; they are filled when the episode has been read."""
        yield Static(id="heading", markup=False)
        yield Track()
        yield Static(id="status", markup=False)
        yield Static(id="roles", markup=False)
        with Vertical(id="sides"):
            with Vertical(id="scene-side"):
                yield Static(id="scene", markup=False)
            with Vertical(id="moment-side"):
                yield Static(id="verdict", markup=False)
                for id in moment.PARTS:
                    yield Fold(id, is_open=id not in moment.CLOSED)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Open the episode, and look from then on whether a step is due."""
        self.open()
        self.set_interval(_LOOKS_S, self.tick)

    @work(exclusive=True, group="open")
    async def open(self) -> None:
        """Read the episode, and show it, or the sentence why it cannot be read."""
        self.playing.seek(self.playing.index)
        self._put("#heading", [("Opening the episode\u2026", "muted")])
        try:
            self.episode = await asyncio.to_thread(self._read)
        except FAILURES as error:
            self._fail(self._shelf.sentence(error))
            return
        steps = self.episode["steps"]
        self._marks = timeline.marks(steps)
        self.playing = Playing(len(steps), self._clock)
        self._looked = heading.Looked()
        self._put("#heading", heading.heading(self.episode))
        self.redraw()

    def _read(self) -> dict[str, Any]:
        episode = told(opened(self._shelf, self._row["run"], self._row["episode"]))
        if episode["steps"]:
            # what draws the scene is imported here, where nobody waits for a key
            scene(episode, 0, "")
        return episode

    def _put(self, id: str, pieces: Pieces) -> None:
        self.query_one(id, Static).update(content(pieces))

    def _fail(self, sentence: str) -> None:
        self.episode = None
        self.playing = Playing(0, self._clock)
        self._put("#heading", [(name(self._row["episode"]), "title")])
        self._clear([(name(sentence, 1000), "fault")])

    def _clear(self, pieces: Pieces) -> None:
        """Show nothing but `pieces` where the decision would stand."""
        self.query_one(Track).draw(self._marks, 0, 0)
        for id in ("#status", "#roles", "#scene"):
            self._put(id, [])
        self._put("#verdict", pieces)
        for fold in self.query(Fold):
            fold.show(None)

    def redraw(self) -> None:
        """Show the present step of the present role."""
        if self.episode is None:
            return
        steps = self.episode["steps"]
        if not steps:
            self._clear([("Nobody was asked anything in this episode.", "muted")])
            return
        index = self.playing.index
        moments = steps[index]["moments"]
        role = self._looked.role(self.episode, index)
        self.query_one(Track).draw(self._marks, len(steps), index)
        self.query_one("#status", Static).update(
            content(status(self.playing, steps[index]["step"], self._marks))
        )
        self._put("#roles", heading.tabs(heading.roles(self.episode), role, moments))
        self._put("#scene", scene(self.episode, index, role))
        self._show_moment(self.episode, moments, role)

    def _show_moment(self, episode: dict[str, Any], moments: list[Any], role: str) -> None:
        own = next((each for each in moments if each["role"] == role), None)
        if own is None:
            self._put("#verdict", [(f"{name(role)} was not asked at this step.", "muted")])
            parts = {}
        else:
            self._put("#verdict", moment.verdict(episode, own))
            parts = moment.parts(episode, own)
        for id in moment.PARTS:
            self.query_one(f"#part-{id}", Fold).show(parts.get(id))

    def tick(self) -> None:
        """Show the next step where it is due."""
        if self.playing.tick():
            self.redraw()

    def on_track_sought(self, message: Track.Sought) -> None:
        """Go to the step that was clicked."""
        message.stop()
        self.seek(message.index)

    def seek(self, index: int) -> None:
        """Stop, and go to the step at `index`."""
        self.playing.seek(index)
        self.redraw()

    def action_play(self) -> None:
        """Play, or pause."""
        self.playing.toggle()
        self.redraw()

    def action_step(self, by: int) -> None:
        """Go a step on or back."""
        self.seek(self.playing.index + by)

    def action_first(self) -> None:
        """Go to the first step."""
        self.seek(0)

    def action_last(self) -> None:
        """Go to the last step."""
        self.seek(self.playing.last)

    def action_speed(self, by: int) -> None:
        """Play faster or slower."""
        self.playing.change_speed(by)
        self.redraw()

    def action_fault(self, by: int) -> None:
        """Go to the next or previous step with a fault, and to who made it."""
        found = timeline.next_fault(self._marks, self.playing.index, by)
        if found is None or self.episode is None:
            return
        moments = self.episode["steps"][found]["moments"]
        role = self._looked.role(self.episode, found)
        faulty = [each["role"] for each in moments if each["fault"] is not None]
        if role not in faulty:
            self._looked = heading.Looked(chosen=faulty[0])
        self.seek(found)

    def action_go(self) -> None:
        """Ask for a step, and go there."""
        if self.episode is None or not self.episode["steps"]:
            return
        steps = self.episode["steps"]

        def go(step: int | None) -> None:
            if step is not None:
                self.seek(timeline.index_of(steps, step))

        title = f"Go to step ({steps[0]['step']} to {steps[-1]['step']})"
        self.app.push_screen(Number(title), go)

    def action_role(self, by: int) -> None:
        """Look at the next or previous role."""
        if self.episode is None or not (every := heading.roles(self.episode)):
            return
        role = self._looked.role(self.episode, self.playing.index)
        place = every.index(role) if role in every else 0
        self._looked = heading.Looked(chosen=every[(place + by) % len(every)])
        self.redraw()

    def action_roles(self) -> None:
        """Ask for a role, or to follow whoever decides first."""
        if self.episode is None:
            return
        every = heading.roles(self.episode)
        chosen = self._looked.chosen

        def look(place: int | None) -> None:
            if place is not None:
                self._looked = heading.Looked(chosen=every[place - 1] if place else None)
                self.redraw()

        present = every.index(chosen) + 1 if chosen in every else 0
        choices = [_FOLLOW, *(name(each) for each in every)]
        self.app.push_screen(Choosing("Role", choices, present), look)

    def action_part(self, by: int) -> None:
        """Go to the next or previous part."""
        shown = [fold for fold in self.query(Fold) if fold.display]
        places = [place for place, fold in enumerate(shown) if fold.title.has_focus]
        place = places[0] + by if places else 0 if by > 0 else len(shown) - 1
        if 0 <= place < len(shown):
            shown[place].title.focus()

    def action_all(self) -> None:
        """Show all of the part that was gone to; without one, of the first that is cut."""
        shown = [fold.part for fold in self.query(Fold) if fold.part is not None]
        own = [fold.part for fold in self.query(Fold) if fold.title.has_focus and fold.part]
        cut = [part for part in shown if "a shows all" in plain(part.pieces)]
        part = next(iter([*own, *cut, *shown]), None)
        if part is not None:
            self.app.push_screen(Reading(part.title, part.texts))

    def action_about(self) -> None:
        """Show what was played and how it ended."""
        if self.episode is not None:
            told = plain(heading.about(self.episode))
            self.app.push_screen(Reading("About this episode", [("", told)]))

    def action_scroll(self, by: int) -> None:
        """Scroll the decision; where the scene stands above it, both together."""
        wanted = "#moment-side" if self.has_class("-wide") else "#sides"
        self.query_one(wanted).scroll_relative(y=by, animate=False)

    @work(exclusive=True, group="episode")
    async def action_episode(self, by: int) -> None:
        """Open the next or previous episode of the list, as it is now; none is behind its ends."""
        place = self._place + by
        if place < 0:
            return
        page = self._asked.page(place, limit=1)
        answer = await asyncio.to_thread(listed, self._shelf, self._asked.selection, page)
        if answer["rows"]:
            self._place, self._row = place, answer["rows"][0]
            self.open()

    def action_leave(self) -> None:
        """Go back to the list."""
        self.dismiss(self._place)
