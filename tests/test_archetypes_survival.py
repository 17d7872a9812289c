"""The reference agents of the survival family are recovered from the decisions they play."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import orjson
import pytest

from valuesim import registry
from valuesim.archetypes import classify, load_catalogue
from valuesim.choices import choices
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.graph import rank_values
from valuesim.log import DecisionRecord, RunWriter, read_run

LEVELS = ("low", "tight", "high")


async def played(
    folder: Path, agent: str, levels: Sequence[str], seeds: int
) -> list[DecisionRecord]:
    """Play and log `seeds` episodes a level with four agents of a kind, and read them back."""
    with RunWriter(folder) as writer:
        writer.describe({})
        for level in levels:
            env = registry.make("survival", scarcity=level)
            for seed in range(seeds):
                spec = EpisodeSpec(
                    env=env.id,
                    parameters={"scarcity": level},
                    population={role: Player(agent=agent) for role in env.possible_agents},
                    elicitation={},
                    seed=seed,
                )
                agents = {
                    role: registry.make_agent(agent, role=role, seed=10 * seed + place)
                    for place, role in enumerate(env.possible_agents)
                }
                turns = await play(env, agents, seed, partial(writer.turn, spec.id))
                writer.finish(spec, env, turns)
    return list(read_run(folder).decisions())


@pytest.mark.parametrize(
    ("agent", "archetype"),
    [
        ("ethical", "Ethical"),
        ("exploitative", "Exploitative"),
        ("context_dependent", "Context-Dependent"),
        ("random", "undetermined"),
        ("mute", "undetermined"),
    ],
)
async def test_a_reference_agent_is_recovered(agent: str, archetype: str, tmp_path: Path) -> None:
    records = await played(tmp_path, agent, LEVELS, seeds=20)
    ranking = rank_values(choices(records), draws=100)
    found = classify(records, ranking, load_catalogue())
    assert found.verdict.archetype == archetype, found.verdict.why
    if archetype != "undetermined":
        assert found.verdict.posterior[archetype] > 0.9


async def test_what_is_logged_gives_the_same_ranking_again(tmp_path: Path) -> None:
    records = await played(tmp_path, "free_rider", ("low",), seeds=3)
    again = read_run(tmp_path).decisions()
    first, second = (rank_values(choices(some), draws=50) for some in (records, again))
    assert orjson.dumps([v.strength for v in first.values]) == orjson.dumps(
        [v.strength for v in second.values]
    )
