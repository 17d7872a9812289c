"""People as agents: one person at one screen, asked one question at a time.

`Person` is who plays in a run and asks through a `Screen`; `Human` is the agent of one role in one
episode. What is asked and which answers hold is in `questions`; `terminal` is one way to ask.
"""

from valuesim.agents.human.agent import Human
from valuesim.agents.human.person import Person, Scene, Screen

__all__ = ["Human", "Person", "Scene", "Screen"]
