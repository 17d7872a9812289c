"""Self-assessment before acting, and rules that the model gives itself between episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valuesim.agents.interventions.asking import ask_all, beside, looking_back, say, shown, whole
from valuesim.agents.interventions.base import Ask, Intervention, Lived
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation

_QUESTIONS: Mapping[str, Sequence[str]] = {
    "perspective": ("perspective",),
    "consequences": ("consequences",),
    "both": ("perspective", "consequences"),
}
_NONE = "none"
_MOST_RULES, _LONGEST_RULE = (1, 50), (20, 1000)


class Assessment(Intervention):
    """Asks the model to assess a decision before it takes it, and puts that before the decision.

    `kind` says what is asked: the "perspective" of those concerned, the "consequences" of each
    option, or "both". With `rules` the model is asked after an episode of a chain which one rule it
    would add, and the next episode starts with the list: of at most `most_rules`, the oldest
    leaving first, each cut to `longest_rule` characters.
    """

    name = "assessment"

    def __init__(
        self,
        *,
        role: str,
        seed: int,
        kind: str = "both",
        rules: bool = False,
        most_rules: int = 5,
        longest_rule: int = 200,
    ) -> None:
        """Ask as `kind` says; raise InputError for a setting outside what the class says."""
        super().__init__(role=role, seed=seed)
        if kind not in _QUESTIONS:
            raise InputError(unknown("kind", kind, _QUESTIONS, "intervention.assessment"))
        if not isinstance(rules, bool):
            raise InputError(f"intervention.assessment.rules is {rules!r}: true or false")
        self._kind, self._grows = kind, rules
        self._most = whole("assessment.most_rules", most_rules, _MOST_RULES)
        self._longest = whole("assessment.longest_rule", longest_rule, _LONGEST_RULE)
        self.needs_chain = "intervention.assessment.rules" if rules else ""
        self._rules: tuple[str, ...] = ()
        self._reply: str | None = None
        self._answers: Mapping[str, str] = {}

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the rules so far; ask, and add the assessment."""
        if self._rules:
            rules = say(self.name, "rules", rules=self._rules)
            prompt = prompt.plus(self.addition("system", rules))
        questions = {
            question: beside(prompt, observation, say(self.name, question))
            for question in _QUESTIONS[self._kind]
        }
        self._answers = await ask_all(ask, questions)
        told = {question: shown(answer) for question, answer in self._answers.items()}
        text = say(self.name, "told", **(dict.fromkeys(_QUESTIONS["both"]) | told))
        return prompt.plus(self.addition("after", text))

    def told(self) -> Mapping[str, Any]:
        """Return the whole answers."""
        return self._answers

    async def ended(self, lived: Lived, ask: Ask) -> None:
        """Ask for one more rule; who decided nothing is not asked."""
        if not self._grows or not lived.moments:
            return
        question = say(
            self.name,
            "rule",
            rules=self._rules,
            longest=self._longest,
            is_full=len(self._rules) == self._most,
        )
        messages = looking_back(lived, question, without=self.name)
        self._reply = await ask(messages, purpose="rule")
        rule = " ".join(self._reply.split())[: self._longest]
        is_none = rule.strip(".!\"'*` ").casefold() in ("", _NONE)
        if not is_none and rule not in self._rules:
            self._rules = (*self._rules, rule)[-self._most :]

    def carried(self) -> Any:
        """Return the rules, and the reply that the last of them was made of; None without rules."""
        return {"rules": list(self._rules), "reply": self._reply} if self._grows else None

    def carry(self, state: Any) -> None:
        """Start with the rules of `state`."""
        self._rules = tuple(state["rules"])
