"""The shipped vocabularies are whole, and labels map as whole labels or not at all."""

import pytest

from valuesim.errors import InputError
from valuesim.values import load_taxonomy, taxonomies


@pytest.mark.parametrize("name", taxonomies())
def test_every_value_is_defined_in_one_sentence_with_a_tradition(name: str) -> None:
    for value in load_taxonomy(name).values:
        assert value.definition.index(".") == len(value.definition) - 1, value.name
        assert value.tradition, value.name
        assert value.sources, value.name


def test_the_default_vocabulary_has_twenty_values_and_eight_roll_ups() -> None:
    taxonomy = load_taxonomy()
    assert len(taxonomy.names) == len(set(taxonomy.names)) == 20
    assert set(taxonomy.roll_ups) == {
        *("moral_foundations", "schwartz_10", "schwartz_19", "world_values_survey"),
        *("maslow", "aristotle", "plutchik", "foundational"),
    }
    assert len(set(taxonomy.roll_ups["foundational"].values())) == 5


def test_a_value_that_a_scheme_does_not_place_has_no_label() -> None:
    assert load_taxonomy().roll_up("moral_foundations", "Creativity") is None
    assert load_taxonomy().roll_up("moral_foundations", "Justice") == "Fairness"


def test_labels_match_whole_and_unmapped_ones_are_counted() -> None:
    mapped = load_taxonomy().map_labels(["Honesty", "dishonesty", "care", "dishonesty"])
    assert mapped.values == ("Truthfulness", "Care")
    assert mapped.unmapped == {"dishonesty": 2}


def test_an_unknown_value_is_named_with_its_neighbour() -> None:
    with pytest.raises(InputError, match="did you mean 'Justice'"):
        load_taxonomy().check(["Justise"], "a test")


def test_an_unknown_taxonomy_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"allowed: .*valuesim"):
        load_taxonomy("valusim")


def test_no_two_vocabularies_share_a_name() -> None:
    names = [name for id in taxonomies() for name in load_taxonomy(id).names]
    assert len(names) == len(set(names)), "equal names would merge where vocabularies are pooled"
