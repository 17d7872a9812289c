"""The models that this viewer may ask: those that it was told of when it was started.

How a model is reached comes from there alone, never from a log or from the page; what determines
its replies comes from the episode, where it is the same model, or only another name and sampling.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from valuesim.agents.interventions import TEXTS, texts_id
from valuesim.agents.prompt import templates_id
from valuesim.config import RunConfig
from valuesim.engine.connections import Connection, distinct
from valuesim.engine.manifest import redacted
from valuesim.engine.plan import SERVING
from valuesim.engine.prices import Price, price_of
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError

SAMPLING = ("name", "temperature", "top_p", "max_tokens")
"""Settings of a model that an episode may have otherwise than this viewer was told."""
_PROMPT = "prompt"
_ADD = "start it as `valuesim replay PATH model=vllm model.name=NAME model.base_url=ADDRESS`"
_OFFLINE = "vllm_offline"
_SOMEWHERE = "the address that it was given"
"""What errors say in place of an address: they are written down, and told."""

Connected = Callable[[RunConfig, Sequence[EpisodeSpec]], Mapping[str, Any]]
"""What connects the roles that a model plays in episodes, as a run's configuration says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """The models of this viewer; none, unless `config` has one and `connected` reaches it.

    `overrides` are what made `config`, and `secrets` reach no file and no answer.
    """

    config: RunConfig | None = None
    connected: Connected | None = None
    overrides: Sequence[str] = ()
    secrets: Sequence[str] = ()

    @property
    def are_connected(self) -> bool:
        """Whether any model can be asked."""
        return self.connected is not None and self.config is not None and bool(self.config.model)

    def plain(self) -> dict[str, Any]:
        """Return what the page gets: whether there is one, its name, and why there is none."""
        if not self.are_connected:
            return {"connected": False, "name": None, "why": f"no model is connected: {_ADD}"}
        assert self.config is not None, "a connected model is a setting"
        return {"connected": True, "name": str(self.config.model["name"]), "why": None}

    @property
    def elicitation(self) -> Mapping[str, Any] | None:
        """How a model is asked in an episode that asked none; None without a model."""
        if self.config is None or not self.are_connected:
            return None
        asked = self.config.elicitation
        labels = asked.get("format") == "logprobs"
        return {**asked, _PROMPT: templates_id("logprobs") if labels else templates_id()}

    def player(self, role: str, name: str | None) -> dict[str, Any]:
        """Return what determines the replies of the model that plays `role`, under another `name`.

        Raises InputError without a model.
        """
        if self.config is None or not self.are_connected:
            raise InputError(f"{role} is to be played by a model, and none is connected: {_ADD}")
        own = self._own(role)
        told = {key: given for key, given in own.items() if key not in SERVING}
        logged: dict[str, Any] = redacted(
            told | ({} if name is None else {"name": name}), self.secrets
        )
        return logged

    def check(self, spec: EpisodeSpec) -> None:
        """Raise InputError for a model of `spec` that cannot be asked here as its log would say."""
        asked = [role for role, player in spec.population.items() if player.model is not None]
        for role in asked:
            self._settings(spec, role)
        if asked:
            _check_texts(spec)

    def prices(self, spec: EpisodeSpec) -> dict[str, Price]:
        """Return what the models of `spec` cost, by role, where it is known; raise as `check`."""
        asked = [role for role, player in spec.population.items() if player.model is not None]
        found = {role: price_of(self._settings(spec, role)) for role in asked}
        return {role: price for role, price in found.items() if price is not None}

    @asynccontextmanager
    async def connect(self, spec: EpisodeSpec) -> AsyncIterator[Mapping[str, Connection]]:
        """Answer for the models of `spec`, as `branch.Connect`; raise as `check` does."""
        self.check(spec)
        asked = [role for role, player in spec.population.items() if player.model is not None]
        if not asked or self.config is None or self.connected is None:
            yield {}
            return
        own = {role: self._settings(spec, role) for role in asked}
        plain = {k: v for k, v in spec.elicitation.items() if k not in (_PROMPT, TEXTS)}
        connections = self.connected(replace(self.config, models=own, elicitation=plain), [spec])
        hidden = tuple(told for each in own.values() for told in _spelt(each.get("base_url")))
        for each in distinct(connections):
            each.endpoint.where = _SOMEWHERE
            each.endpoint.secrets = (*each.endpoint.secrets, *hidden)
        try:
            yield connections
        finally:
            for each in distinct(connections):
                await each.close()

    def _own(self, role: str) -> dict[str, Any]:
        assert self.config is not None, "a connected model is a setting"
        return self.config.model_of(role) if role in self.config.models else dict(self.config.model)

    def _settings(self, spec: EpisodeSpec, role: str) -> dict[str, Any]:
        """Return in what the model of `role` differs from the one that this viewer was told of."""
        logged = spec.population[role].model or {}
        called = f"{role} is played by the model {str(logged.get('name'))!r:.80}"
        if not self.are_connected:
            raise InputError(f"{called}, and none is connected: {_ADD}")
        own = self._own(role)
        free = SAMPLING if own.get("provider") != _OFFLINE else SAMPLING[1:]
        now = redacted({k: v for k, v in own.items() if k not in SERVING}, self.secrets)
        for key, given in logged.items():
            if key not in free and given != now.get(key):
                raise InputError(
                    f"{called} with {key}={given!r:.80}, and this viewer was started with "
                    f"{key}={now.get(key)!r:.80}: start it with model.{key} as the episode has it"
                )
        taken = {key: logged[key] for key in SAMPLING if key in logged and key in own}
        return {**own, **taken}


def _spelt(given: Any) -> list[str]:
    """Return how errors spell the addresses of a server."""
    found = []
    for url in (given,) if isinstance(given, str) else given or ():
        parts = urlsplit(str(url))
        found += [str(url), parts.netloc, f"{parts.hostname!r}, {parts.port}"]
    return [each for each in found if each]


def _check_texts(spec: EpisodeSpec) -> None:
    """Raise InputError where models would be sent other words than the episode's line says."""
    asked = spec.elicitation
    labels = asked.get("format") == "logprobs"
    now = templates_id("logprobs") if labels else templates_id()
    if asked.get(_PROMPT, now) != now:
        raise InputError(
            f"the models of {spec.id} were sent other prompts than this version has "
            f"({asked[_PROMPT]!r:.20}, not {now!r}): it is shown, and not played on"
        )
    made = {name for player in spec.population.values() for name in player.interventions}
    if made and asked.get(TEXTS) not in (None, texts_id(made)):
        raise InputError(f"the interventions of {spec.id} have other texts in this version")
