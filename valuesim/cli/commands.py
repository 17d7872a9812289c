"""The commands there are, with examples; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from valuesim.cli import arguments
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
  valuesim run env=daily agents=valued:protector asking=adaptive asking.budget=200

A run that exists resumes: give the same command with its run.name again.""",
        add=arguments.add_run,
        debug="show the traceback of an error, and the first exchange with a model",
    ),
    "graph": Command(
        module="valuesim.cli.graph",
        line="rank the values that the choices in run folders put first",
        examples="""\
  valuesim graph runs/demo
  valuesim graph runs/demo --by agent,scarcity --json -
  valuesim graph runs/demo --behind "Power,Protection"
  valuesim graph runs/first --png values.png --graphml values.graphml
  valuesim graph choices.parquet --by agent""",
        add=arguments.add_graph,
    ),
    "compare": Command(
        module="valuesim.cli.compare",
        line="say how value rankings differ between agents, conditions, families or runs",
        examples="""\
  valuesim compare runs/demo --between scarcity
  valuesim compare runs/demo --between scarcity --pair "Protection,Self-Preservation"
  valuesim compare runs/first --between family
  valuesim compare runs/first runs/second --between run --json -""",
        add=arguments.add_compare,
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
    "export": Command(
        module="valuesim.cli.export",
        line="write decisions in another tool's format",
        examples=f"""\
  valuesim export choices runs/demo/daily
  valuesim export choices runs/demo --out choices.csv
  valuesim export inspect runs/demo --out demo.eval
  valuesim export utility-graph runs/demo --by agent --out utilities.json
  valuesim export moral-machine runs/scenes --out shared_responses.csv

formats (docs/formats.md tells more):
{listed(EXPORTS)}""",
        add=arguments.add_export,
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
