"""How a run ends before its last episode: first gently, then at once."""

from __future__ import annotations

import asyncio


class Shutdown:
    """What tells a run to end.

    Once `begun` is set no episode begins any more, and those under way are played to their end;
    once `now` is set none goes on. `spent` says which budget wanted it; it is empty where somebody
    did.
    """

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.now = asyncio.Event()
        self.spent = ""

    @property
    def is_asked(self) -> bool:
        """Whether somebody wanted the run to end, not a budget alone."""
        return self.now.is_set() or (self.begun.is_set() and not self.spent)

    def ask(self) -> None:
        """Let the run end gently; where it is ending so already, at once."""
        if self.begun.is_set():
            self.now.set()
        self.begun.set()

    def spend(self, told: str) -> None:
        """Let the run end gently because a budget is spent, as `told` says, if it does not yet."""
        if not self.begun.is_set():
            self.spent = told
            self.begun.set()
