"""What can go wrong, as one small tree.

    ValueSimError            every error this package raises on purpose
    ├── InputError           what the user gave cannot be used (exit code 2)
    ├── LogError             a run folder or a line of it cannot be read (exit code 1)
    ├── Departed             what is played again is not what the log says (exit code 1)
    └── Interruption         infrastructure failed; the episode did not finish (never a choice)

Each message is one sentence: what was given, what is allowed, where.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class ValueSimError(Exception):
    """Base of every error raised on purpose; its text is fit to be shown to a user."""


class InputError(ValueSimError):
    """Bad input: an argument, a setting or a file the user chose."""


class LogError(ValueSimError):
    """A run folder that is not one, or a line that is not what its schema says."""


class Interruption(ValueSimError):
    """A failure of servers, network, time or budget: it ends the episode, and resume replays it."""


class Departed(ValueSimError):
    """What is played again from a log is not what the log says."""

    def __init__(self, step: int, role: str, what: str) -> None:
        """Say at which `step` for which `role`, and `what` differs."""
        super().__init__(
            f"at step {step}, {role}: {what}; the log is of another version, or was changed"
        )
        self.step, self.role, self.what = step, role, what


STOPPED = "the run was stopped"
"""Why an episode is interrupted that somebody did not wait for."""


def unknown(kind: str, given: object, allowed: Iterable[str], where: str = "") -> str:
    """Return the sentence for an unknown name: what was given, the nearest name, what is allowed.

    >>> unknown("agent", "etical", ["ethical", "random"])
    "unknown agent 'etical': did you mean 'ethical'? allowed: ethical, random"
    """
    names = sorted(allowed)
    near = get_close_matches(str(given), names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    place = f" (in {where})" if where else ""
    return f"unknown {kind} {given!r}{place}: {hint}allowed: {', '.join(names) or 'none'}"
