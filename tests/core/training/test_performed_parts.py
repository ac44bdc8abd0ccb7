"""Parts of performers: on a voice of their own, or on recordings of their kind."""

from collections import Counter

import numpy as np
import pytest

from core.training.composer import Composition
from core.training.families import FAMILY_NAMED, heard_family
from core.training.part import Part, PlayedNote
from core.training.performed_parts import (
    KINDS,
    PROGRAM_OF_KIND,
    RECORDED_PROGRAMS,
    RECORDED_SHARE,
    drawn_family,
    performed,
)
from core.training.performer import PerformerKind
from core.training.recorded_voice import Held, RecordedVoice
from core.training.soundfonts import SAMPLE_RATE_HZ

TONE = np.sin(2 * np.pi * 220 * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ).astype(np.float32)
OBOE = RecordedVoice(68, (Held(57, TONE, (10_000, 20_000)),))
TAKES = 30


def recipes(kind: PerformerKind, voices: list[RecordedVoice]) -> Counter[str]:
    rng = np.random.default_rng(1)
    composition = Composition(Part([PlayedNote(0.1, 0.5, 60, 90)]), "melody")
    family = drawn_family(rng, kind)
    parts = [performed(rng, kind, family, composition, 0.7, voices) for _ in range(TAKES)]
    return Counter(part.recipe.split("/")[0] for part in parts if part is not None)


def test_some_play_on_recordings_of_their_kind() -> None:
    counted = recipes("reed", [OBOE])
    assert counted["recorded-performer-reed"] == pytest.approx(RECORDED_SHARE * TAKES, abs=8)
    assert counted["performer-reed"] == TAKES - counted["recorded-performer-reed"]


def test_nobody_plays_on_recordings_of_others() -> None:
    assert recipes("singer", [OBOE]) == {"performer-singer": TAKES}


def test_a_part_without_notes_is_none() -> None:
    rng = np.random.default_rng(1)
    empty = Composition(Part([]), "melody")
    assert performed(rng, "reed", FAMILY_NAMED["reed"], empty, 0.7, []) is None


@pytest.mark.parametrize("kind", KINDS)
def test_recordings_are_of_the_family_that_the_notes_are_said_to_be_of(kind: PerformerKind) -> None:
    if kind != "harmonica":  # an accordion has its reeds, and General MIDI's number of an organ
        said = heard_family(PROGRAM_OF_KIND[kind])
        assert {heard_family(program) for program in RECORDED_PROGRAMS[kind]} == {said}
