"""Chat models as agents, through LangChain's chat-model interface.

`connect` builds a model's shared connection, `Connection.agent` the agent of one role in one
episode; `Servers` lets the models of one server share its limit. LangChain is imported when a model
is built, not before.
"""

from valuesim.agents.llm.agent import LLMAgent
from valuesim.agents.llm.connection import Connection, connect
from valuesim.agents.llm.models import build_chat
from valuesim.agents.slots import Servers

__all__ = ["Connection", "LLMAgent", "Servers", "build_chat", "connect"]
