"""Strategic games: what an agent does when its payoff depends on what others do.

Two players (in public goods, several) choose at once or one after the other, once or again and
again, for points or money. Cooperating, giving or claiming much is good for the other or for all;
defecting, keeping or claiming little pays oneself, whatever the other does or while it trusts.
Every choice is one of a few offered options, so that evidence, learning and quantal response work.

| id | what is played | payoff parameters |
| --- | --- | --- |
| prisoners_dilemma | cooperate or defect | T > R > P > S, 2R > T + S |
| stag_hunt | stag or hare | R > T >= P > S |
| chicken | swerve or straight | T > R > S > P |
| battle_of_the_sexes | meet at one's own place or at the other's | own > other > apart |
| matching_pennies | heads or tails; Alpha wins if equal, Beta if not | win > lose |
| matrix_game | any table with two moves each | table |
| travelers_dilemma | claims; the lower one counts, less or plus `penalty` | low, high, step, \
penalty |
| public_goods | contributions, then perhaps punishment | agents, endowment, marginal_return, \
step, punishment, punishment_factor |
| trust | send (it is multiplied), then return | endowment, multiplier, step |
| ultimatum, dictator | divide; the other accepts or rejects, or has no say | pie, step |

**Options and stakes.** Numbers in [-1, 1], free of the scale of payoffs. f is an amount's place on
its grid, from 0 to 1; "expected" counts the partner's moves in the rounds shown, each move once
more; "range" is that of the whole table; *ahead* is 0.2 where another has earned less so far.

| option | upholds | violates |
| --- | --- | --- |
| the cooperative move of two (cooperate, stag, swerve, other) | Cooperation 0.6, 0.6, 0.5, 0.2; \
Care 0.2 + 0.4 x (what the partner is expected to gain by it / range) + ahead | |
| the move of two that is expected to pay more | Achievement 0.3 + 0.5 x (what it gains / range) | |
| a cooperative move after the partner's cooperative move, the other one after its other one | \
Justice 0.3 (reciprocity, retaliation) | |
| a claim | Cooperation 0.6 f; Care (0.2 + 0.3 u + ahead) f; Achievement (0.4 + 0.3 u)(1 - f), \
where u = penalty / range, at most 1 | |
| a contribution | Cooperation 0.6 f; Care (0.2 + 0.4 marginal_return + ahead) f; Achievement \
(0.3 + 0.5 (1 - marginal_return))(1 - f); Justice 0.2 if at least the others' mean last round | \
Justice -0.2 if less |
| punishing one who contributed less than oneself, or as much and more | Justice 0.5 | Care -0.3; \
Justice -0.5 for the latter |
| punishing nobody | Care 0.2, Achievement 0.2 | |
| an amount sent (trust) | Cooperation 0.6 f; Care (0.2 + ahead) f; Achievement 0.5 (1 - f) | |
| a share s returned (trust) | Justice 0.6 x min(1, 2s); Cooperation 0.3 s; Care (0.2 + ahead) s; \
Achievement 0.6 (1 - s) | |
| an offer (ultimatum) | Justice 0.6 (1 - abs(2f - 1)); Care (0.4 + ahead) f; Cooperation 0.4 f; \
Achievement 0.6 (1 - f) | |
| accepting a share s | Achievement 0.2 + 0.6 s; Cooperation 0.3 | |
| rejecting a share s | Justice 0.8 (1 - 2s) if s < 1/2 | Care -0.3 |
| a gift (dictator) | Justice 0.3 (1 - abs(2f - 1)); Care (0.6 + ahead) f; Achievement \
0.6 (1 - f) | |
| anything other than the move announced; an amount below it | | Truthfulness -0.6 (amounts: in \
proportion to what is missing) |
| SAY | Communication 0.2 | |
| SAY_NOTHING, WAIT | | |

In matching_pennies only Achievement is at stake: playing to win against what the partner has tended
to do; in the first round nothing favours either move, and nothing is at stake. A table of one's own
puts at stake what it says. In the wording "privacy" of the prisoner's dilemma the moves also uphold
and violate Privacy (0.3). Moves are tagged "cooperation" if they are the cooperative move, an
amount in the upper half, anything returned, or an accepted offer; SAY is tagged "talk".

In the traveler's dilemma undercutting pays, and the lowest claim is the only equilibrium, where
`step` is smaller than `penalty`; the default grid is fine enough for every penalty from 5.

**Design.** A price list (`price_list`, `sweeps`) asks one agent the same one-shot decision at every
level, in an order drawn by the seed, without feedback (`design` "within"); one `stake` or `penalty`
an episode is the design "between". With `delta` the number of rounds is drawn from the seed, up to
`most_rounds`. Labels are drawn for each episode; the order of options is drawn for each decision.
In neutral wording no text names a move. A message announces a move by its shown name. In the battle
of the sexes names are the reader's (YOUR_PLACE): the partner's move to its own place is told as
THEIR_PLACE, though `labels`, `before` and effects hold each move as its maker sees it ("own").
In the loss frame both receive the highest payoff and lose the rest; where a payoff is negative
they receive as much more, and give it back afterwards. Outcomes are those of the gain frame.

**Faults.** If somebody who has to decide makes no decision, that step has no outcome: everybody
earns 0 by it, the round is over, and the others are told "no decision". It is never a defection.

**Log.** Annotations of a decision: `round` (from 1; in a price list the place in its order),
`rounds_drawn`, `phase` ("talk", "act", "respond", "punish"), `stake`, `penalty`, `labels` (shown
name -> canonical move), `before` ([own, partner's] move of the last round shown; None in groups),
`role`, `received`, `mean_before`, `promised`. Effects: `payoff`, `partner_payoff`, `move` (what
took effect; None if nothing), `intended`, `flipped`, `partner`, `round`, `phase`, and of answers
`received` and `returned`; `partner` and `partner_payoff` are lists in groups. A decision's payoff
is that of its step: a proposer earns when the other has answered, which the answer's
`partner_payoff` tells. What a price list sweeps is None in the condition.

**Source.** Payoff rules are the textbook's: Rapoport & Chammah 1965 (prisoner's dilemma), Basu 1994
and Goeree & Holt 2001 (traveler's dilemma), Fehr & Gaechter 2000 (public goods), Berg, Dickhaut &
McCabe 1995 (trust), Gueth, Schmittberger & Schwarze 1982 (ultimatum), Forsythe et al. 1994
(dictator). Noise is as in Fudenberg, Rand & Dreber 2012, random length as in Dal Bo & Frechette
2011. Grids in place of free amounts, one act of punishment in place of up to ten points for each
other, named members, stakes and all wording are ours.

**Versions.** v0: first.
"""

from valuesim.envs.games.engine import Game
from valuesim.envs.games.games import (
    BattleOfTheSexes,
    Chicken,
    Dictator,
    MatchingPennies,
    MatrixGame,
    PrisonersDilemma,
    PublicGoods,
    StagHunt,
    TravelersDilemma,
    Trust,
    Ultimatum,
)

GAMES: dict[str, type[Game]] = {
    kind.id: kind
    for kind in (
        PrisonersDilemma,
        StagHunt,
        Chicken,
        BattleOfTheSexes,
        MatchingPennies,
        MatrixGame,
        TravelersDilemma,
        PublicGoods,
        Trust,
        Ultimatum,
        Dictator,
    )
}
"""Every game by its id."""

__all__ = [
    "GAMES",
    "BattleOfTheSexes",
    "Chicken",
    "Dictator",
    "Game",
    "MatchingPennies",
    "MatrixGame",
    "PrisonersDilemma",
    "PublicGoods",
    "StagHunt",
    "TravelersDilemma",
    "Trust",
    "Ultimatum",
]
