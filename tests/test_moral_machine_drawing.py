"""The picture of a scene is well formed, whole, and says in words what it shows."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from valuesim.envs.moral_machine import CHARACTERS, MoralMachine, Scene, generate
from valuesim.envs.moral_machine.drawing import image, text
from valuesim.envs.moral_machine.drawing_svg import svg
from valuesim.envs.moral_machine.figures import figure
from valuesim.envs.moral_machine.picture import SIZE, Picture, picture
from valuesim.envs.moral_machine.shapes import Area, Box, Line, Oval, Words
from valuesim.envs.moral_machine.wording import character_word

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    drawn = generate(300, np.random.default_rng(8))
    return [drawn.scene(index) for index in range(300)]


def words(drawn: Picture) -> str:
    """Return all text of the SVG of `drawn`, one space between lines."""
    root = ElementTree.fromstring(svg(drawn))
    return " ".join(element.text or "" for element in root.iter(f"{SVG}text"))


def test_an_svg_is_one_element_with_a_title_and_a_description(scenes: list[Scene]) -> None:
    for scene in scenes[:40]:
        root = ElementTree.fromstring(svg(picture(scene, number=2, scenes=13)))
        assert root.tag == f"{SVG}svg"
        assert root.get("role") == "img"
        assert root[0].tag == f"{SVG}title"
        assert root[0].text == "Scene 3 of 13"
        assert root[1].tag == f"{SVG}desc"
        assert "STAY: The car stays in its lane" in (root[1].text or "")
        kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert kinds <= {
            "svg",
            "title",
            "desc",
            *("rect", "ellipse", "polygon", "polyline", "text"),
        }


def test_everyone_is_drawn_and_labelled(scenes: list[Scene]) -> None:
    seen = set()
    for scene in scenes:
        told = words(picture(scene))
        for group in scene.groups:
            labels = " ".join(character_word(character.name) for character in group.members)
            assert labels in told, (labels, told)
            seen |= set(group.characters)
    assert seen == {character.name for character in CHARACTERS}


def test_signals_barrier_and_who_dies_are_told_in_words(scenes: list[Scene]) -> None:
    for scene in scenes:
        told = words(picture(scene, labels={"stay": "CASE_2", "swerve": "CASE_1"}))
        signals = {group.signal for group in scene.groups}
        assert ("green signal" in told) == (1 in signals)
        assert ("red signal" in told) == (2 in signals)
        assert ("concrete barrier" in told) == (not scene.is_between_pedestrians)
        assert ("empty car" in told) == scene.is_between_pedestrians
        ahead = scene.dying("stay").size
        assert f"CASE_2: the car stays in its lane, {ahead} " in told
        assert "CASE_1: the car swerves, " in told


def test_what_is_written_is_escaped(scenes: list[Scene]) -> None:
    hostile = '<script>alert("&")</script>'
    drawn = picture(scenes[0], labels={"stay": hostile, "swerve": "B"})
    source = svg(replace(drawn, title=hostile))
    assert "<script" not in source
    root = ElementTree.fromstring(source)
    assert root.get("aria-label") == root[0].text == hostile
    assert hostile in words(drawn)


def test_everything_lies_within_the_picture(scenes: list[Scene]) -> None:
    for scene in scenes:
        for shape in picture(scene, number=999, scenes=1000).shapes:
            match shape:
                case Box():
                    points = [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]
                case Oval():
                    points = [
                        (shape.x - shape.across, shape.y - shape.down),
                        (shape.x + shape.across, shape.y + shape.down),
                    ]
                case Area() | Line():
                    points = list(shape.points)
                case Words():
                    half = 0.55 * shape.size * len(shape.text) / 2
                    left = shape.x if shape.anchor == "start" else shape.x - half
                    points = [(left, shape.y), (left + 2 * half, shape.y)]
            width, height = SIZE
            assert all(0 <= x <= width and 0 <= y <= height for x, y in points), shape


def test_the_twenty_pictograms_differ() -> None:
    drawn = {repr(figure(character.name)) for character in CHARACTERS}
    assert len(drawn) == 20


def test_an_image_is_drawn_in_colour_and_scenes_differ(scenes: list[Scene]) -> None:
    one, other = (image(picture(scene)) for scene in scenes[:2])
    assert one.shape == (SIZE[1], SIZE[0], 3)
    assert one.dtype == np.uint8
    assert (one != other).any()
    assert len(np.unique(one.reshape(-1, 3), axis=0)) > 50


def test_text_tells_both_cases(scenes: list[Scene]) -> None:
    lines = text(picture(scenes[0], labels={"stay": "CASE_2", "swerve": "CASE_1"})).splitlines()
    assert lines[0] == "Scene"
    assert [line.partition(":")[0] for line in lines[1:]] == ["CASE_1", "CASE_2"]


@pytest.mark.parametrize(("mode", "kind"), [("ansi", str), ("svg", str), ("rgb_array", np.ndarray)])
def test_every_state_can_be_rendered(mode: str, kind: type) -> None:
    env = MoralMachine(scenes=3, panel=2, both_orders=True, render_mode=mode)
    env.reset(seed=0)
    while env.agents:
        assert isinstance(env.render(), kind)
        env.step({"Alpha": 0, "Beta": 1})
    assert isinstance(env.render(), kind), "after the end as well"
    assert MoralMachine().render() is None
