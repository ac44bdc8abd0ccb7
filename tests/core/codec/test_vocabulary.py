"""Tokens stand where the published checkpoints have them."""

import json
from pathlib import Path

import pytest

from core.codec.events import Event, EventKind
from core.codec.vocabulary import (
    ISMIR2021_VOCABULARY,
    MT3_VOCABULARY,
    YOURMT3_VOCABULARY,
    Vocabulary,
)

GOLDEN = Path(__file__).parents[2] / "golden"
LAYOUT = json.loads((GOLDEN / "mt3_codec.json").read_text(encoding="utf-8"))["layout"]
YOURMT3_LAYOUT = json.loads((GOLDEN / "yourmt3_codec.json").read_text(encoding="utf-8"))["layout"]
VOCABULARIES = {"1": MT3_VOCABULARY, "127": ISMIR2021_VOCABULARY}


@pytest.mark.parametrize("bins", ["1", "127"])
def test_ranges_lie_where_the_reference_has_them(bins: str) -> None:
    vocabulary = VOCABULARIES[bins]
    ranges = {
        events.kind.value: [events.tokens[0], events.tokens[-1]] for events in vocabulary.ranges
    }
    assert ranges == LAYOUT[bins]["ranges_plus3"]
    assert vocabulary.size == LAYOUT[bins]["vocab_padded"]


@pytest.mark.parametrize("task", ["mt3_full_plus", "mc13_full_plus_256", "gm_ext_plus"])
def test_the_ranges_of_yourmt3_lie_where_all_its_models_have_them(task: str) -> None:
    special = {name: [token, token] for token, name in enumerate(("PAD", "EOS", "UNK"))}
    ranges = {
        events.kind.value: [events.tokens[0], events.tokens[-1]]
        for events in YOURMT3_VOCABULARY.ranges
    }
    assert {**special, **ranges} == YOURMT3_LAYOUT[task]["ranges"]
    assert YOURMT3_VOCABULARY.size == YOURMT3_LAYOUT[task]["num_tokens"]


@pytest.mark.parametrize("bins", ["1", "127"])
def test_velocities_are_the_references(bins: str) -> None:
    vocabulary = VOCABULARIES[bins]
    values = range(vocabulary.velocity_bins + 1)
    assert [vocabulary.velocity_of(n) for n in values] == LAYOUT[bins]["bin_to_velocity"]
    assert [vocabulary.velocity_value(v) for v in range(128)] == LAYOUT[bins]["velocity_to_bin"]


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)
def test_every_token_with_a_meaning_is_the_token_of_that_meaning(vocabulary: Vocabulary) -> None:
    meant = [token for token, event in enumerate(vocabulary.events) if event is not None]
    assert [vocabulary.token_of(event) for event in vocabulary.events if event] == meant
    assert len(meant) == sum(events.count for events in vocabulary.ranges)


@pytest.mark.parametrize("token", [-1, 0, 1, 2, 1391, 1535, 1536, 100_000])
def test_special_unused_and_impossible_tokens_mean_nothing(token: int) -> None:
    assert MT3_VOCABULARY.event_of(token) is None


@pytest.mark.parametrize("value", [-1, 128])
def test_an_event_outside_its_range_has_no_token(value: int) -> None:
    with pytest.raises(ValueError, match="not in the vocabulary"):
        MT3_VOCABULARY.token_of(Event(EventKind.PITCH, value))


@pytest.mark.parametrize(("bins", "size"), [(1, 1390), (127, 1516), (0, 1536), (128, 2000)])
def test_impossible_vocabularies_are_refused(bins: int, size: int) -> None:
    with pytest.raises(ValueError, match=r"too few|outside"):
        Vocabulary(bins, has_ties=True, size=size)
