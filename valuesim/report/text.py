"""Text written by models and users, made safe to show: visible controls, a visible end."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cs", "Co", "Cn"})
# these reorder or hide what stands around them, so that a reader sees another text than was written
_REORDERING = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff") | frozenset(
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
)


def shown(text: object, longest: int = 280) -> str:
    r"""Return `text` with control characters spelt out, cut visibly after `longest` characters.

    It is still to be escaped for HTML. New lines and tabs stay.

    >>> shown("a\u202eb")
    'a\\u202eb'
    >>> shown("abcdef", longest=3)
    'abc … [cut after 3 of 6 characters]'
    """
    whole = str(text)
    kept = "".join(_spelt(character) for character in whole[:longest])
    if len(whole) <= longest:
        return kept
    return f"{kept} … [cut after {longest:,} of {len(whole):,} characters]"


def number(value: float | None, digits: int = 2) -> str:
    """Return `value` with `digits` decimals and a true minus sign, or an en dash for None."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(share: float | None) -> str:
    """Return a share as per cent: whole from 10 % up, one decimal below; an en dash for None.

    >>> percent(0.025), percent(0.5), percent(0.0)
    ('2.5 %', '50 %', '0 %')
    """
    if share is None:
        return "–"
    digits = 1 if 0 < share < 0.0995 else 0
    return f"{100 * share:.{digits}f} %"


def _spelt(character: str) -> str:
    if character in "\n\t":
        return character
    if character in _REORDERING or unicodedata.category(character) in _HIDDEN:
        return f"\\u{ord(character):04x}"
    return character
