"""The report page and its figures: honest, safe, self-contained, reproducible."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import yaml

from valuesim.choices import choices
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.errors import InputError
from valuesim.graph import rank_values
from valuesim.log import RunFolder, RunWriter, read_run
from valuesim.measures.interval import clustered_rate
from valuesim.registry import make, make_agent
from valuesim.report import write_report
from valuesim.report.drawing import save_graph
from valuesim.report.page import render
from valuesim.report.summary import Summary, summarise
from valuesim.report.text import percent, shown

AGENTS = ("ethical", "exploitative", "random", "mute")
LEVELS = ("high", "low")
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "<svg onload=alert(1)></svg></td></table></details>",
    "</style></head><iframe src=//example.org>",
    "{{ 1234567 * 9 }} {% raw %} $\\frac{1}{2}$ --> ]]>",
    "\u202egnp.exe\u202c \x1b[31m \x00 \u2066",
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two episodes of four agents at two levels of scarcity, as a run folder."""
    folder = tmp_path_factory.mktemp("played")
    with RunWriter(folder) as writer:
        writer.describe(_config())
        for agent in AGENTS:
            for scarcity in LEVELS:
                for seed in (4, 5):
                    asyncio.run(_play(writer, agent, scarcity, seed))
    return read_run(folder)


@pytest.fixture(scope="module")
def summary(played: RunFolder) -> Summary:
    """The summary of the played run."""
    return summarise([played])


@pytest.fixture(scope="module")
def page(summary: Summary) -> str:
    """The page of the played run."""
    return render(summary)


async def _play(writer: RunWriter, agent: str, scarcity: str, seed: int) -> None:
    env = make("survival-v0", scarcity=scarcity)
    spec = EpisodeSpec(
        env=env.id,
        parameters={"scarcity": scarcity},
        population={role: Player(agent=agent) for role in env.possible_agents},
        elicitation={},
        seed=seed,
    )
    players = {role: make_agent(agent, role=role, seed=seed) for role in env.possible_agents}
    turns = await play(env, players, seed, lambda turn: writer.turn(spec.id, turn))
    writer.finish(spec, env, turns)


def _config() -> dict[str, Any]:
    return {
        "versions": {"valuesim": "9.9.9"},
        "time": {"started": "2026-11-24T12:00:00+00:00", "resumed": []},
    }


def _write_run(
    folder: Path, *, words: str = "", episodes: int = 1, env: str = "toy-v0"
) -> RunFolder:
    """Write a hand-made run: one agent, one step an episode, every free text set to `words`."""
    folder.mkdir()
    (folder / "run.yaml").write_text(yaml.safe_dump(_config()))
    numbers = range(episodes)
    _write_lines(folder / "decisions.jsonl", [_decision(n, words, env) for n in numbers])
    _write_lines(folder / "episodes.jsonl", [_episode(n, words, env) for n in numbers])
    return read_run(folder)


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_bytes(b"".join(orjson.dumps({"schema": 1, **line}) + b"\n" for line in lines))


def _episode(number: int, words: str, env: str) -> dict[str, Any]:
    return {
        "episode": f"{env}{number}",
        "env": env,
        "condition": {"framing": words},
        "population": {words or "Alpha": {"agent": words or "toy", "model": {"name": words}}},
        "elicitation": {},
        "seed": number,
        "steps": 1,
        "outcome": {},
        "measures": {},
        "decisions": 1,
        "faults": {},
        "usage": {},
    }


def _decision(number: int, words: str, env: str) -> dict[str, Any]:
    stakes: Mapping[str, Mapping[str, float]] = {"GIVE": {"Care": 1.0}, "KEEP": {"Power": 1.0}}
    options = [
        {"name": name, "stakes": stake, "tags": [], "omission": False}
        for name, stake in stakes.items()
    ]
    seen = {"options": options, "text": words, "rules": "", "view": {}, "annotations": {}}
    return {
        "episode": f"{env}{number}",
        "play": 0,
        "step": 0,
        "agent": words or "Alpha",
        "observation": seen,
        "decision": {
            "option": None if words else "GIVE",
            "arguments": {},
            "message": words,
            "rationale": words,
            "fault": "refused" if words else None,
            "fault_detail": words,
            "reply": words,
            "attempts": 1,
            "usage": {},
        },
        "effect": {"place": words},
        "payoff": 0.0,
        "time": {"latency": 0.0},
    }


class _Outline(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


# -- the page as a document


def test_the_page_asks_for_nothing_from_outside(page: str) -> None:
    outline = _Outline(page)
    pointers = [*outline.values("href"), *outline.values("src"), *outline.values("xlink:href")]
    assert pointers
    assert all(pointer.startswith("#") for pointer in pointers)
    assert not {"script", "link", "iframe", "img", "object", "form"} & set(outline.tags)
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in next(v for v in outline.values("content") if "src" in v)
    assert "script-src" not in page


def test_ids_are_unique_and_every_pointer_has_its_target(page: str) -> None:
    outline = _Outline(page)
    ids = outline.values("id")
    assert len(ids) == len(set(ids))
    targets = {pointer[1:] for pointer in outline.values("href")}
    targets |= set(re.findall(r"url\(#([^)]+)\)", page)) | set(outline.values("aria-labelledby"))
    assert targets <= set(ids)


def test_every_figure_is_read_out_and_every_table_has_headers(page: str) -> None:
    outline = _Outline(page)
    drawings = [v for tag, name, v in outline.attributes if (tag, name) == ("svg", "role")]
    labels = [v for tag, name, v in outline.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(drawings) == len(labels) > 10
    assert all(labels)
    tables = re.findall(r"<table.*?</table>", page, flags=re.DOTALL)
    assert all('scope="col' in table for table in tables)
    levels = [int(tag[1]) for tag in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert max(np.diff(levels)) <= 1


def test_equal_runs_give_equal_bytes(played: RunFolder, page: str) -> None:
    assert render(summarise([played])) == page


def test_the_header_says_what_was_run(page: str) -> None:
    words = " ".join(_Outline(page).words)
    for fact in ("survival-v0", "9.9.9", "2026-11-24", "4, 5", "none: scripted agents"):
        assert fact in words


# -- safety


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_models_stay_words(words: str, tmp_path: Path) -> None:
    page = render(summarise([_write_run(tmp_path / "run", words=words)]))
    outline = _Outline(page)
    assert not {"script", "img", "iframe"} & set(outline.tags)
    assert not [name for _, name, _ in outline.attributes if name.startswith("on")]
    assert not set("\u202e\u202c\u2066\x1b\x00") & set(page)
    assert "11111103" not in page
    assert shown(words, 400) in "".join(outline.words)


def test_a_megabyte_in_one_line_is_cut_where_one_can_see_it(tmp_path: Path) -> None:
    page = render(summarise([_write_run(tmp_path / "run", words="x" * 1_000_000)]))
    assert len(page) < 200_000
    assert "[cut after 400 of 1,000,000 characters]" in page


# -- honesty


def test_faults_are_named_before_anything_is_concluded(summary: Summary) -> None:
    assert any(w.startswith("mute: 100 % of the decisions were faults") for w in summary.warnings)
    assert {row.label.split(",")[0] for row in summary.fault_rows} == {"mute"}
    assert all(row.shares == (("unparsed", 1.0),) for row in summary.fault_rows)


def test_small_cells_are_warned_of(summary: Summary) -> None:
    assert any("has 2 episodes" in warning for warning in summary.warnings)


def test_the_axis_goes_from_plentiful_to_scarce_and_names_the_regime(
    summary: Summary, page: str
) -> None:
    assert [level.name for level in summary.levels] == ["high", "low"]
    assert [level.regime for level in summary.levels] == ["slack", "infeasible"]
    panel = next(v for v in _Outline(page).values("aria-label") if "ethical: Survival" in v)
    assert panel.index("high (slack) 100 %") < panel.index("low (infeasible) 0 %")
    assert "low = least resource" in page


def test_survival_is_that_of_the_measures(summary: Summary, played: RunFolder) -> None:
    for group in summary.groups:
        survival = next(c for c in group.curves if c.title == "Survival")
        if group.name == "mute":
            # agents that never chose did not survive by what they did
            assert survival.is_empty
            assert survival.why_empty.endswith("occasions ended in faults")
            continue
        for level, rate in survival.points:
            measured = [
                episode.measures["survival_rate"]
                for episode in played.episodes.values()
                if episode.condition["scarcity"] == level.scarcity
                and episode.population["Alpha"].agent == group.name
            ]
            assert rate.value == pytest.approx(np.mean(measured))


def test_transgression_counts_are_those_of_the_archetypes(summary: Summary) -> None:
    group = next(group for group in summary.groups if group.name == "exploitative")
    threatened, unthreatened = group.curves[:2]
    drawn = [rate for curve in (threatened, unthreatened) for _, rate in curve.points if rate.n]
    cells = [r for r in group.archetypes.verdict.rates if "threatened" in r.condition]
    assert sum(rate.n for rate in drawn) == sum(cell.opportunities for cell in cells) > 0
    assert unthreatened.points[0][1].value == 1.0


def test_a_group_without_evidence_is_undetermined_not_an_empty_plot(page: str) -> None:
    assert "Undetermined: no choice set values against each other." in page
    assert not [v for v in _Outline(page).values("aria-label") if v.startswith("mute: Transgr")]


def test_a_ranking_no_better_than_blind_is_called_incoherent(page: str) -> None:
    ranking = page[page.index('id="ranking"') : page.index('id="graph"')]
    random = ranking[ranking.index("<h3>random") : ranking.index("<h3>mute")]
    assert "no coherent ranking" in random


def test_a_run_without_a_finished_episode_says_why(tmp_path: Path) -> None:
    run = _write_run(tmp_path / "run", episodes=0)
    stopped = {"episode": "a", "play": 0, "reason": "<b>server</b> gone"}
    _write_lines(run.path / "interrupted.jsonl", [stopped, {**stopped, "play": 1}])
    page = render(summarise([read_run(run.path)]))
    assert "No decision was made" in page
    assert "1 episode (&lt;b&gt;server&lt;/b&gt; gone (1))" in page
    assert "<figure" not in page


def test_an_environment_without_scarcity_is_shown_without_curves(tmp_path: Path) -> None:
    page = render(summarise([_write_run(tmp_path / "run", episodes=12)]))
    assert "no environment here has a level of scarcity" in page
    assert "Value ranking" in page


def test_several_environments_are_never_one_group(tmp_path: Path) -> None:
    runs = [_write_run(tmp_path / env, env=env) for env in ("toy-v0", "toy-v1")]
    assert [group.envs for group in summarise(runs).groups] == [("toy-v0",), ("toy-v1",)]


def test_groups_whose_long_names_begin_alike_stay_apart(tmp_path: Path) -> None:
    runs = [
        _write_run(tmp_path / end, words="x" * 100 + end, env=f"toy-v{place}")
        for place, end in enumerate("ab")
    ]
    # one environment name, so that only the cut-off ends of agent and model differ
    lines = [orjson.loads(line) for r in runs for line in (r.path / "episodes.jsonl").open("rb")]
    _write_lines(runs[0].path / "episodes.jsonl", [{**line, "env": "toy-v0"} for line in lines])
    decisions = [(r.path / "decisions.jsonl").read_bytes() for r in runs]
    (runs[0].path / "decisions.jsonl").write_bytes(b"".join(decisions))
    names = [group.name for group in summarise([read_run(runs[0].path)]).groups]
    assert len(set(names)) == 2


def test_an_episode_in_two_runs_counts_once(tmp_path: Path) -> None:
    twice = summarise([_write_run(tmp_path / name, episodes=3) for name in "ab"])
    assert (twice.episodes, twice.decisions) == (3, 3)
    assert any("counted once: 3 episodes" in warning for warning in twice.warnings)


# -- timelines


def test_a_timeline_shows_every_turn_of_every_agent(summary: Summary) -> None:
    group = next(group for group in summary.groups if group.name == "exploitative")
    low = group.timelines[-1]
    assert (low.level and low.level.name, low.seed) == ("low", 4)
    assert low.turns == tuple(str(turn) for turn in range(1, 14))
    assert [row.agent for row in low.rows] == ["Alpha", "Beta", "Delta", "Gamma"]
    acts = [cell for row in low.rows for cell in row.cells if cell is not None]
    assert sum(cell.is_transgression for cell in acts) == low.transgressions > 0
    assert low.battery[0] == (10.0, 1.0)


def test_a_dead_agent_is_marked_and_then_gone(summary: Summary) -> None:
    group = next(group for group in summary.groups if group.name == "mute")
    cells = group.timelines[-1].rows[0].cells
    last = max(step for step, cell in enumerate(cells) if cell is not None)
    assert [cell.is_last for cell in cells[: last + 1] if cell] == [False] * last + [True]
    assert group.timelines[-1].survivors == 0


# -- writing


def test_the_report_lands_in_the_file_or_the_folder_given(tmp_path: Path) -> None:
    run = _write_run(tmp_path / "run")
    assert write_report([run], tmp_path) == tmp_path / "report.html"
    written = write_report([run], tmp_path / "new" / "page.html", seed=3)
    assert written.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "seed 3" in written.read_text(encoding="utf-8")
    assert [path.name for path in written.parent.iterdir()] == ["page.html"]


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    run = _write_run(tmp_path / "run")
    with pytest.raises(InputError, match="cannot be written: "):
        write_report([run], run.path / "run.yaml" / "page.html")
    with pytest.raises(InputError, match="at least one run folder"):
        write_report([], tmp_path)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_value_graph_is_drawn_alike_each_time(
    suffix: str, played: RunFolder, tmp_path: Path
) -> None:
    records = [r for r in played.decisions() if r.player.agent == "exploitative"]
    ranking = rank_values(choices(records))
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        save_graph(ranking, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].stat().st_size > 1000


def test_a_graph_without_coherent_ranking_says_so(played: RunFolder, tmp_path: Path) -> None:
    records = [r for r in played.decisions() if r.player.agent == "random"]
    save_graph(rank_values(choices(records)), tmp_path / "graph.svg")
    assert "no coherent ranking" in (tmp_path / "graph.svg").read_text()


def test_a_graph_in_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.png or \.svg"):
        save_graph(rank_values(choices([])), tmp_path / "graph.bmp")


# -- rates and words


def test_no_chance_gives_no_rate_and_one_episode_no_interval() -> None:
    assert clustered_rate([0, 0], [0, 0]).value is None
    single = clustered_rate([2], [4])
    assert (single.value, single.low, single.high) == (0.5, None, None)


def test_episodes_that_all_agree_count_as_one_chance_each() -> None:
    rate = clustered_rate([0] * 20, [50] * 20)
    assert (rate.value, rate.low) == (0.0, 0.0)
    assert rate.high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_wholly_clustered_chances_count_as_one_each() -> None:
    one = clustered_rate([0, 1] * 15, [1] * 30)
    hundred = clustered_rate([0, 100] * 15, [100] * 30)
    assert (hundred.low, hundred.high) == pytest.approx((one.low, one.high))


def test_clustered_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        chances = rng.integers(5, 40, 20)
        hits = rng.binomial(chances, rng.beta(0.3 * 4, 0.7 * 4, 20))
        rate = clustered_rate(hits.tolist(), chances.tolist())
        assert rate.low is not None
        assert rate.high is not None
        covered += rate.low <= 0.3 <= rate.high
    assert 0.92 <= covered / 400 <= 0.99


def test_a_share_short_of_the_end_is_never_rounded_to_it() -> None:
    assert [percent(x) for x in (0, 0.0001, 0.5, 0.99996, 1)] == [
        *("0 %", "<0.1 %", "50 %", ">99.9 %", "100 %")
    ]
