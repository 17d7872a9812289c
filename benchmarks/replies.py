"""What the reply cache costs for each call: CPU time of keeping a reply, and of finding it again.

`python -m benchmarks.replies` is part of `make bench`. Requests and replies are those of a survival
episode with a JSON schema; every reply is a transaction of its own on disk.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from valuesim import registry
from valuesim.agents.llm.ask import Question, Reply
from valuesim.agents.llm.cache import FILE, ReplyCache
from valuesim.agents.llm.channel import Call
from valuesim.agents.llm.models import Model
from valuesim.agents.prompt import Elicitation, render, schema
from valuesim.decision import Usage

CALLS = 10_000
SAID = f'{{"rationale": "{"because " * 40}", "action": {{"option": "WAIT", "arguments": {{}}}}}}'


def main() -> None:
    env = registry.make("survival-v0")
    env.reset(seed=0)
    seen = env.observe(env.agents[0])
    form = schema(seen, Elicitation())
    asked = [
        (
            Question(messages=render(seen, Elicitation()), schema=form, seed=number),
            Call(episode=f"{number:016x}", role="Alpha"),
        )
        for number in range(CALLS)
    ]
    model = Model(provider="vllm", name="m")
    usage = Usage(prompt_tokens=1000, completion_tokens=100)
    reply = Reply(text=SAID, structured=SAID, finish_reason="stop", usage=usage)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        with ReplyCache(path, "write") as cache:
            started = time.process_time()
            for question, call in asked:
                cache.place(model, question, call).keep(reply, 0.5)
            kept = time.process_time() - started
        with ReplyCache(path, "replay") as cache:
            started = time.process_time()
            for question, call in asked:
                cache.place(model, question, call).found()
            found = time.process_time() - started
        size = path.stat().st_size
    print(f"\n{'reply cache':34}{'CPU us':>9}{'calls/s':>13}")
    for name, seconds in (("keep a reply", kept), ("find it again", found)):
        print(f"{name:34}{seconds / CALLS * 1e6:9.0f}{CALLS / seconds:13,.0f}")
    print(f"  {size / CALLS:,.0f} bytes on disk for a reply of {2 * len(SAID):,} characters")


if __name__ == "__main__":
    main()
