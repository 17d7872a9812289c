"""Text written by models and users, made safe to show: visible controls, a visible end."""

from __future__ import annotations

import unicodedata

from markupsafe import Markup

from valuesim.plain import with_few_marks

_HIDDEN = frozenset({"Cc", "Cs", "Co", "Cn"})
# these reorder or hide what stands around them, so that a reader sees another text than was written
_REORDERING = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff") | frozenset(
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
)


def shown(text: object, longest: int = 280) -> str:
    r"""Return `text` with control characters spelt out, cut visibly after `longest` characters.

    So are marks beyond four on one letter, which would run over the lines beside it.

    It is still to be escaped for HTML. New lines and tabs stay.

    >>> shown("a\u202eb")
    'a\\u202eb'
    >>> shown("abcdef", longest=3)
    'abc … [cut after 3 of 6 characters]'
    """
    whole = str(text)
    kept = _all_spelt(whole[:longest])
    if len(whole) <= longest:
        return kept
    return f"{kept} … [cut after {longest:,} of {len(whole):,} characters]"


def plain(content: object) -> object:
    """Return text with control characters spelt out; anything else, markup too, as it is.

    All that a page's templates put in passes through it.
    """
    if not isinstance(content, str) or isinstance(content, Markup):
        return content
    return _all_spelt(content)


def short(text: object, longest: int) -> str:
    """Return `text` as `shown` does, but cut to `longest` characters with an ellipsis, for labels.

    >>> short("context_dependent", 8)
    'context…'
    """
    spelt = shown(text, longest + 1)
    return spelt if len(str(text)) <= longest else f"{spelt[: longest - 1]}…"


def number(value: float | None, digits: int = 2) -> str:
    """Return `value` with `digits` decimals and a true minus sign, or an en dash for None.

    >>> number(-0.001), number(-1.5)
    ('0.00', '−1.50')
    """
    if value is None:
        return "–"
    rounded = round(value, digits) + 0.0  # adding 0.0 turns -0.0 into 0.0
    return f"{rounded:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(share: float | None) -> str:
    """Return a share as per cent, one decimal near the ends; an en dash for None.

    A share that is not quite 0 or 1 is never rounded to it.

    >>> percent(0.025), percent(0.5), percent(0.0), percent(0.0001), percent(0.9999)
    ('2.5 %', '50 %', '0 %', '<0.1 %', '>99.9 %')
    """
    if share is None:
        return "–"
    if 0 < share < 0.0005:
        return "<0.1 %"
    if 0.9995 < share < 1:
        return ">99.9 %"
    digits = 1 if 0 < share < 0.0995 or 0.9905 < share < 1 else 0
    return f"{100 * share:.{digits}f} %"


def _all_spelt(text: str) -> str:
    return "".join(map(_spelt, with_few_marks(text, _code)))


def _code(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _spelt(character: str) -> str:
    if character in "\n\t":
        return character
    if character in _REORDERING or unicodedata.category(character) in _HIDDEN:
        return _code(character)
    return character
