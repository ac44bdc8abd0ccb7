"""A stem's kind restricts which instruments may be written, and nothing else."""

import numpy as np
import pytest

from core.codec.events import EventKind
from core.codec.token_rules import PROGRAMS_OF_KIND, allowed_tokens
from core.codec.vocabulary import EOS, ISMIR2021_VOCABULARY, MT3_VOCABULARY
from core.score.instruments import StemKind, program_of

PITCHED_KINDS = [kind for kind in StemKind if kind not in (StemKind.DRUMS, StemKind.MIX)]
GRAMMAR = (EventKind.SHIFT, EventKind.VELOCITY, EventKind.TIE)


def values_allowed(kind: StemKind, events: EventKind) -> list[int]:
    allowed = allowed_tokens(kind, MT3_VOCABULARY)
    tokens = MT3_VOCABULARY.range_of(events).tokens
    return [value for value, token in enumerate(tokens) if allowed[token]]


@pytest.mark.parametrize("kind", StemKind)
@pytest.mark.parametrize("events", GRAMMAR)
def test_no_kind_restricts_the_grammar(kind: StemKind, events: EventKind) -> None:
    assert values_allowed(kind, events) == list(range(MT3_VOCABULARY.range_of(events).count))
    assert allowed_tokens(kind, MT3_VOCABULARY)[EOS]


def test_a_drum_stem_holds_drums_only() -> None:
    assert values_allowed(StemKind.DRUMS, EventKind.DRUM) == list(range(128))
    assert values_allowed(StemKind.DRUMS, EventKind.PITCH) == []
    assert values_allowed(StemKind.DRUMS, EventKind.PROGRAM) == []


@pytest.mark.parametrize("kind", PITCHED_KINDS)
def test_a_pitched_stem_holds_no_drums_and_the_programs_of_its_kind(kind: StemKind) -> None:
    assert values_allowed(kind, EventKind.DRUM) == []
    assert values_allowed(kind, EventKind.PITCH) == list(range(128))
    assert values_allowed(kind, EventKind.PROGRAM) == sorted(PROGRAMS_OF_KIND[kind])


def test_a_bass_stem_holds_one_bass() -> None:
    assert values_allowed(StemKind.BASS, EventKind.PROGRAM) == [program_of(StemKind.BASS)]


def test_a_mix_may_hold_anything() -> None:
    assert allowed_tokens(StemKind.MIX, MT3_VOCABULARY).all()


@pytest.mark.parametrize("kind", StemKind)
def test_a_model_that_was_not_taught_instruments_is_left_alone(kind: StemKind) -> None:
    allowed = allowed_tokens(kind, ISMIR2021_VOCABULARY)
    assert allowed.shape == (1664,)
    assert allowed.dtype == np.bool_
    assert allowed.all()
