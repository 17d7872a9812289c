"""Suites: fixed designs whose results can be set side by side, their cards and their board.

`load_suite` reads a suite from conf/suite, `digest_of` names everything that determines what is
asked, `card_of` makes a card from logs, `read_card` reads one that somebody else may have written,
`board_of` sets cards side by side.
"""

from valuesim.suites.board import Board, board_of
from valuesim.suites.card import Card
from valuesim.suites.definition import Suite, load_suite, suites
from valuesim.suites.digest import digest_of
from valuesim.suites.making import Played, card_of
from valuesim.suites.reading import read_card

__all__ = [
    "Board",
    "Card",
    "Played",
    "Suite",
    "board_of",
    "card_of",
    "digest_of",
    "load_suite",
    "read_card",
    "suites",
]
