"""The design of an experiment with a game: which parameters fit it, what is logged of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from valuesim.envs.games.form import Form, numeral
from valuesim.envs.games.matrix import TwoByTwo
from valuesim.envs.games.parameters import Parameters
from valuesim.envs.games.public_goods import PublicGoods


def check_fit(form: Form, given: Parameters) -> None:
    """Raise ValueError for a parameter that the game has no use for."""
    is_matrix = isinstance(form, TwoByTwo)
    has_fines = isinstance(form, PublicGoods) and form.punishment > 0
    for name, is_given, fits in (
        ("noise", given.noise > 0, is_matrix),
        ("framing='loss'", given.framing == "loss", is_matrix),
        ("sweeps='penalty'", given.sweeps == "penalty", "penalty" in form.factors),
        ("talk", given.talk, all(form.offered(p, "act", {}) for p in range(len(form.roles)))),
        ("price_list with punishment", given.price_list is not None, not has_fines),
        ("perspective='predict' with punishment", given.perspective == "predict", not has_fines),
    ):
        if is_given and not fits:
            raise ValueError(f"{name} is not allowed: {form.game} has no such variant")


def condition(form: Form, given: Parameters, words: str, shuffled: bool) -> dict[str, Any]:
    """Return the condition of every episode: payoffs, common parameters, the words' version."""
    is_within = given.design == "within"
    levels = None if given.price_list is None else ",".join(map(numeral, given.price_list))
    common = {field.name: getattr(given, field.name) for field in fields(given)}
    return {
        "game": form.game,
        "design": given.design,
        "agents": len(form.roles),
        **common,
        "horizon": given.rounds(form.usual_rounds),
        "most_rounds": None if given.delta is None else given.most_rounds,
        "price_list": levels,
        "sweeps": given.sweeps if is_within else None,
        **form.factors,
        # what a price list sweeps has no one level in the episode
        **({given.sweeps: None} if is_within else {}),
        "shuffle_options": shuffled,
        "wording_id": words,
    }


def signature(own: Callable[..., None], engine: Callable[..., None]) -> inspect.Signature:
    """Return the arguments of a game: those of its `own` __init__, then those common to all."""
    first, common = (inspect.signature(each).parameters.values() for each in (own, engine))
    named = [p for p in first if p.name != "self" and p.kind is not p.VAR_KEYWORD]
    shown = [p for p in common if p.name in ("shuffle_options", "render_mode")]
    return inspect.Signature([*named, *inspect.signature(Parameters).parameters.values(), *shown])
