"""An ethical policy put before the decision: a framework, at one level of abstraction."""

from __future__ import annotations

from valuesim.agents.interventions.asking import wording
from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation


class Policy(Intervention):
    """Adds the policy of a `framework` to the system message, at the `level` that is asked for.

    The levels are one "principle", the "rules" that follow from it, and worked "cases"; each stands
    alone, so that levels differ in how concrete they are and not in how much is said.
    """

    name = "policy"

    def __init__(
        self, *, role: str, seed: int, framework: str = "utilitarian", level: str = "principle"
    ) -> None:
        """Look the policy up; raise InputError for an unknown framework or level."""
        super().__init__(role=role, seed=seed)
        texts = wording("policy")
        for setting, given, known in (
            ("framework", framework, texts["frameworks"]),
            ("level", level, texts["intro"]),
        ):
            if given not in known:
                raise InputError(unknown(setting, given, known, f"intervention.policy.{setting}"))
        said = texts["frameworks"][framework][level]
        lines = [said] if isinstance(said, str) else [f"- {line}" for line in said]
        self._text = "\n".join([texts["intro"][level], *lines])

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the policy."""
        return prompt.plus(self.addition("system", self._text))
