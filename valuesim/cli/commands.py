"""The commands there are, with examples; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from valuesim.cli import arguments
from valuesim.cli.plan_arguments import add_plan
from valuesim.cli.replay_arguments import add_replay
from valuesim.cli.suite_arguments import add_bench, add_leaderboard
from valuesim.formats.catalogue import EXPORTS, IMPORTS, PACKS, listed

Add = Callable[[argparse.ArgumentParser], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command: the module that does it, one line on it, examples, and what adds its arguments.

    `debug` says what --debug does.
    """

    module: str
    line: str
    examples: str
    add: Add
    debug: str = "show the traceback of an error"


COMMANDS = {
    "run": Command(
        module="valuesim.cli.run",
        line="play episodes: one run, or a sweep with -m",
        examples="""\
  valuesim run env=survival env.scarcity=low agents=context_dependent episodes=5 run.name=first
  valuesim run agents=llm model=vllm model.name=NAME model.base_url=http://127.0.0.1:8000/v1
  valuesim run experiment=scarcity_benchmark agents=ethical agents.Alpha=exploitative
  valuesim run -m env.scarcity=low,high agents=ethical,exploitative episodes=2
  valuesim run -m hydra/launcher=joblib agents=random 'seed=range(0,4)' run.name=seeds
  valuesim run engine=ray engine.workers=2 agents=random episodes=20 run.name=many
  valuesim run env=generated agents=valued:protector asking=adaptive asking.budget=200

A run that exists resumes: give the same command with its run.name again.""",
        add=arguments.add_run,
        debug="show the traceback of an error, and the first exchange with a model",
    ),
    "plan": Command(
        module="valuesim.cli.plan",
        line="say how many episodes a question needs, and what they cost, before any is played",
        examples="""\
  valuesim plan experiment=scarcity_benchmark agents=llm model=mock --effect 0.1
  valuesim plan env.scarcity=low agents=llm model=mock --effect 0.2 --pilot runs/first
  valuesim plan env=daily agents=llm model=mock --strength 1.5 --png power.png
  valuesim plan env.scarcity=low agents=llm model=mock --width 0.1 --json -""",
        add=add_plan,
    ),
    "graph": Command(
        module="valuesim.cli.graph",
        line="rank the values that the choices in run folders put first",
        examples="""\
  valuesim graph runs/demo
  valuesim graph runs/demo --by agent,scarcity --json -
  valuesim graph runs/demo --behind "Power,Protection"
  valuesim graph runs/first --png values.png --graphml values.graphml
  valuesim graph choices.parquet --by agent
  valuesim graph choices --by agent                (a partitioned data set)""",
        add=arguments.add_graph,
    ),
    "compare": Command(
        module="valuesim.cli.compare",
        line="set two runs side by side; or say how rankings differ between agents, levels, runs",
        examples="""\
  valuesim compare runs/first runs/second
  valuesim compare runs/demo --between scarcity
  valuesim compare runs/demo --between scarcity --pair "Protection,Self-Preservation"
  valuesim compare runs/first --between family
  valuesim compare runs/first runs/second --between run --json -""",
        add=arguments.add_compare,
    ),
    "drift": Command(
        module="valuesim.cli.drift",
        line="say what moved over ordered checkpoints, when, and by a step or a trend",
        examples="""\
  valuesim drift runs/base runs/step1000 runs/step2000
  valuesim drift runs/base runs/step1000 runs/step2000 --at 0,1000,2000 --png drift.png
  valuesim drift runs/step2000 runs/step1000 runs/step3000 --order step --json drift.json""",
        add=arguments.add_drift,
    ),
    "archetypes": Command(
        module="valuesim.cli.archetypes",
        line="say which risky archetype, if any, the evidence in run folders supports",
        examples="""\
  valuesim archetypes runs/demo
  valuesim archetypes runs/demo --by model --json archetypes.json
  valuesim archetypes runs/demo --catalogue mine.yaml
  valuesim archetypes runs/demo --by agent --discover""",
        add=arguments.add_archetypes,
    ),
    "predict": Command(
        module="valuesim.cli.predict",
        line="say whether values fitted on some decisions tell what is risked in others",
        examples="""\
  valuesim predict runs/demo --hold-out scene
  valuesim predict runs/demo --hold-out env=survival --by agent,model
  valuesim predict runs/first runs/second --hold-out topic --json predicted.json""",
        add=arguments.add_predict,
    ),
    "measures": Command(
        module="valuesim.cli.measures",
        line="print what the studies of each family report: cooperation, AMCEs, scale scores, ...",
        examples="""\
  valuesim measures runs/demo
  valuesim measures runs/first --by agent,wording
  valuesim measures runs/first --json measures.json""",
        add=arguments.add_measures,
    ),
    "report": Command(
        module="valuesim.cli.report",
        line="write one self-contained HTML page about run folders",
        examples="""\
  valuesim report runs/demo --tables
  valuesim report runs/first runs/second --out both.html""",
        add=arguments.add_report,
    ),
    "replay": Command(
        module="valuesim.cli.replay",
        line="look at run folders in a browser: find episodes, watch them turn by turn",
        examples="""\
  valuesim replay runs/demo
  valuesim replay runs --port 9000 --no-browser
  valuesim replay runs model=vllm model.name=NAME  (branches may ask this model)
  valuesim replay runs --consent ours.txt          (people who play agree to this first)
  valuesim replay runs --host 0.0.0.0              (others may look, with the token)
  valuesim replay runs/demo --tui                  (in this terminal)
  valuesim replay runs --export 8071ed --out episode.html

docs/replay.md tells what is shown and what it may do.""",
        add=add_replay,
    ),
    "query": Command(
        module="valuesim.cli.query",
        line="ask run folders in SQL: runs, episodes, decisions, choices",
        examples="""\
  valuesim query runs/demo
  valuesim query runs/demo "SELECT env, agent, count(*), count(fault) FROM decisions GROUP BY ALL"
  valuesim query runs/demo "SELECT * FROM episodes WHERE faults > 0" --out faulty.csv
  valuesim query runs/demo --sql question.sql --json -

docs/tables.md tells what each column holds.""",
        add=arguments.add_query,
    ),
    "export": Command(
        module="valuesim.cli.export",
        line="write decisions in another tool's format",
        examples=f"""\
  valuesim export choices runs/demo/daily
  valuesim export choices runs/demo --out choices.csv
  valuesim export choices runs/demo --out choices --partition env,agent
  valuesim export inspect runs/demo --out demo.eval
  valuesim export utility-graph runs/demo --by agent --out utilities.json
  valuesim export moral-machine runs/scenes --out shared_responses.csv

formats (docs/formats.md tells more):
{listed(EXPORTS)}""",
        add=arguments.add_export,
    ),
    "bench": Command(
        module="valuesim.cli.bench",
        line="play a whole suite with one agent or model, and write its result card",
        examples="""\
  valuesim bench scarcity-bench-v1 agents=ethical run.name=ethical
  valuesim bench scarcity-bench-v1 agents=llm model=mock run.name=look --quick
  valuesim bench scarcity-bench-v1 agents=llm model=vllm model.name=NAME run.name=mine
  valuesim bench --card runs/ethical

A bench that exists resumes: give the same command with its run.name again.""",
        add=add_bench,
        debug="show the traceback of an error, and the first exchange with a model",
    ),
    "leaderboard": Command(
        module="valuesim.cli.leaderboard",
        line="set the cards of a suite side by side",
        examples="""\
  valuesim leaderboard examples/cards/scarcity-bench-v1
  valuesim leaderboard runs/ethical runs/mine --sort cooperation
  valuesim leaderboard examples/cards --out leaderboard.html --out leaderboard.md""",
        add=add_leaderboard,
    ),
    "import": Command(
        module="valuesim.cli.importing",
        line="read another tool's decisions into a run folder, or dilemmas into a pack",
        examples=f"""\
  valuesim import litmus openai__gpt-4o.csv --out runs/litmus
  valuesim import litmus labels.csv --values classes.csv --model my-model --out runs/mine
  valuesim import battles battles.csv --out runs/battles
  valuesim graph runs/litmus
  valuesim import dilemmas mine.csv --out mine.yaml
  valuesim run env=dilemmas env.pack=mine.yaml agents=random

decisions, to a run folder (docs/formats.md tells more):
{listed(IMPORTS)}

dilemmas, to a pack (docs/packs.md):
{listed(PACKS)}""",
        add=arguments.add_import,
    ),
    "list": Command(
        module="valuesim.cli.listing",
        line="show what there is: environments, agents, models, experiments, ...",
        examples="""\
  valuesim list
  valuesim list envs
  valuesim list agents --json -""",
        add=arguments.add_list,
    ),
    "doctor": Command(
        module="valuesim.cli.doctor",
        line="say what is wrong with this set-up and what to do about it",
        examples="""\
  valuesim doctor
  valuesim doctor pack my_dilemmas.yaml
  valuesim doctor prompts env=survival env.scarcity=low env=daily
  valuesim doctor --base-url http://127.0.0.1:8000/v1 --model NAME""",
        add=arguments.add_doctor,
    ),
}
