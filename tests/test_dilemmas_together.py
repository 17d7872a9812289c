"""Several packs as one pool: what is asked, how often, and in which context."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from valuesim.agents.scripted import Random
from valuesim.env import Environment
from valuesim.envs.dilemmas import Dilemmas, load_pack, shelf
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.errors import InputError
from valuesim.log import RunWriter, read_run
from valuesim.measures.dilemmas import panels
from valuesim.option import Move
from valuesim.registry import make
from valuesim.values import load_taxonomy

EVERYTHING = Path(__file__).parent / "packs" / "everything.yaml"
SPEC = EpisodeSpec(
    env="dilemmas-v0",
    parameters={"pack": "daily", "scenes": 3},
    population={"Alpha": Player(agent="random")},
    elicitation={},
    seed=7,
)
TOGETHER = ["ai_risk", "daily", "generated"]


def made(**given: Any) -> Dilemmas:
    return Dilemmas(**{"pack": TOGETHER, **given})


def scenes(env: Environment, seed: int) -> list[str]:
    """Return the scenes of an episode, in which always the first option is taken."""
    env.reset(seed=seed)
    found = []
    while env.agents:
        seen = env.observe("Alpha")
        found.append(seen.annotations["scene"])
        env.step({"Alpha": Move(option=seen.options[0].name)})
    return list(dict.fromkeys(found))


def own_pack(scene: str) -> str:
    return scene.partition("/")[0]


def test_the_parts_of_several_packs_ask_every_dilemma_once() -> None:
    found = [scene for part in range(12) for scene in scenes(made(scenes=100, part=part), 3)]
    wanted = [f"{name}/{each.id}" for name in TOGETHER for each in load_pack(name).dilemmas]
    assert sorted(found) == sorted(wanted)


def test_asked_one_by_one_there_are_as_many_questions_as_dilemmas() -> None:
    singles = made().singles()
    assert len(singles) == sum(len(load_pack(name).dilemmas) for name in TOGETHER)
    asked = [scenes(made(**singles[place]), 0) for place in (0, 200, 500, len(singles) - 1)]
    assert [len(each) for each in asked] == [1, 1, 1, 1]
    assert {own_pack(scene) for (scene,) in asked} == set(TOGETHER)


def test_an_episode_asks_one_pack_whose_chances_are_its_dilemmas() -> None:
    env = made(scenes=2)
    drawn = [{own_pack(scene) for scene in scenes(env, seed)} for seed in range(400)]
    assert all(len(packs) == 1 for packs in drawn)
    counts = Counter(pack for packs in drawn for pack in packs)
    total = sum(len(load_pack(name).dilemmas) for name in TOGETHER)
    for name in TOGETHER:
        share = len(load_pack(name).dilemmas) / total
        assert abs(counts[name] / 400 - share) < 4 * (share * (1 - share) / 400) ** 0.5


@pytest.mark.parametrize("name", TOGETHER)
def test_a_scene_is_told_as_it_is_where_its_pack_is_asked_alone(name: str) -> None:
    env = made(scenes=1, paraphrase=1)
    seed = next(seed for seed in range(200) if own_pack(scenes(env, seed)[0]) == name)
    env.reset(seed=seed)
    seen = env.observe("Alpha")
    place = [each.id for each in load_pack(name).dilemmas].index(seen.annotations["dilemma"])
    alone = Dilemmas(pack=name, scenes=1, part=place, paraphrase=1)
    alone.reset(seed=0)
    other = alone.observe("Alpha")
    assert (seen.rules, seen.text) == (other.rules, other.text)
    assert seen.annotations["scene"] == other.annotations["scene"]
    assert sorted(o.text for o in seen.options) == sorted(o.text for o in other.options)


def test_the_order_in_which_packs_are_named_makes_no_difference() -> None:
    one, other = made(scenes=3), made(scenes=3, pack=TOGETHER[::-1])
    assert one.condition == other.condition
    assert [scenes(one, seed) for seed in range(20)] == [scenes(other, seed) for seed in range(20)]


def test_the_condition_names_each_pack_and_its_version() -> None:
    condition = made().condition
    packs = [load_pack(name) for name in TOGETHER]
    assert condition["pack"] == "ai_risk+daily+generated"
    assert condition["pack_version"] == "+".join(str(pack.version) for pack in packs)
    assert condition["pack_digest"] == "+".join(pack.digest for pack in packs)
    assert all(f"{pack.id}.{pack.version}" in condition["wording_id"] for pack in packs)


def test_a_pack_alone_is_what_it_was_before_there_were_several() -> None:
    """Ids, digests and draws of single packs are held: logs of before must go on."""
    env = Dilemmas(pack="daily", scenes=3)
    assert SPEC.id == "3e2c49f3a43e58c1"
    assert env.condition["pack_digest"] == "09af9fbec22a"
    assert env.condition["pack_version"] == load_pack("daily").version
    assert scenes(env, 7) == ["daily/locked-phone", "daily/online-bank", "daily/father-driving"]
    assert scenes(Dilemmas(pack=["daily"], scenes=3), 7) == scenes(env, 7)


def test_what_is_only_of_the_generated_pack_may_be_given_where_it_is_among_them() -> None:
    pack = ["daily", "generated"]
    few = Dilemmas(pack=pack, pairs=["Care/Justice"], per_pair=2)
    assert len(few.singles()) == len(load_pack("daily").dilemmas) + 2
    assert few.condition["pairs"] == "Care/Justice"


def test_topics_leave_out_packs_that_have_none_of_them() -> None:
    topic = next(iter(set(load_pack("daily").topics) - set(load_pack("ai_risk").topics)))
    env = Dilemmas(pack=["ai_risk", "daily"], topics=[topic], scenes=1)
    assert {own_pack(scenes(env, seed)[0]) for seed in range(30)} == {"daily"}
    assert env.pack.id == "daily"


def test_a_snapshot_goes_back_to_the_pack_of_its_episode() -> None:
    env = made(scenes=1)
    seeds = {own_pack(scenes(env, seed)[0]): seed for seed in range(100)}
    env.reset(seed=seeds["daily"])
    kept, told = env.snapshot(), env.observe("Alpha").text
    env.reset(seed=seeds["ai_risk"])
    env.restore(kept)
    assert env.pack.id == "daily"
    assert env.observe("Alpha").text == told


def test_labels_are_the_first_letters_however_many_options_another_pack_has() -> None:
    env = Dilemmas(pack=[EVERYTHING, "generated"], scenes=1)
    for seed in range(20):
        env.reset(seed=seed)
        names = sorted(option.name for option in env.observe("Alpha").options)
        assert names == list("ABCDEFGH")[: len(names)]
    assert env.features("Alpha").size == len(env.catalogue) * len(load_taxonomy(env.taxonomy).names)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"pack": []}, r"pack=\[\] is not allowed"),
        ({"pack": ["daily", 7]}, "pack=.*7.* is not allowed"),
        ({"pack": ["daily", "daily"]}, "daily is there twice"),
        ({"pack": ["ai_risk", "daily"], "per_pair": 3}, "per_pair is only for pack='generated'"),
        ({"pack": ["ai_risk", "daily"], "topics": "zoo"}, "unknown topic 'zoo'.*ai_risk, daily"),
        ({"part": 16, "scenes": 100}, "part=16 .* 0 to 11"),
        ({"paraphrase": 9}, "paraphrase=9 .* or 'drawn'"),
    ],
)
def test_what_does_not_go_together_is_named(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        made(**given)


def test_an_unknown_pack_among_others_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'daily'"):
        made(pack=["ai_risk", "dayly"])


@pytest.mark.parametrize(("name", "other"), [("taxonomy", "moral_machine"), ("locale", "de")])
def test_packs_of_two_vocabularies_or_languages_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, other: str
) -> None:
    packs = {"daily": load_pack("daily"), "abroad": replace(load_pack(EVERYTHING), id="abroad")}
    packs["abroad"] = replace(packs["abroad"], **{name: other})
    monkeypatch.setattr(shelf, "load_pack", packs.__getitem__)
    told = f"must have one {name}: abroad {other}, daily"
    with pytest.raises(ValueError, match=told):
        made(pack=["daily", "abroad"])


async def test_the_measures_of_packs_together_are_those_of_one_group(tmp_path: Path) -> None:
    env = made(scenes=10)
    with RunWriter(tmp_path) as writer:
        writer.describe({})
        for seed in range(16):
            played = replace(SPEC, parameters={"pack": TOGETHER, "scenes": 10}, seed=seed)
            cast = {"Alpha": Random(role="Alpha", seed=seed)}
            id = played.id
            turns = await play(env, cast, seed, lambda turn, id=id: writer.turn(id, turn))
            writer.finish(played, env, turns)
    records = list(read_run(tmp_path).decisions())
    assert len({own_pack(record.annotations["scene"]) for record in records}) > 1
    (habits,) = (panel for panel in panels(records, seed=0) if panel.id.startswith("habits"))
    assert habits.decisions == len(records)


def test_the_registry_takes_a_list_of_packs() -> None:
    assert make("dilemmas-v0", pack=TOGETHER).condition["pack"] == "ai_risk+daily+generated"
