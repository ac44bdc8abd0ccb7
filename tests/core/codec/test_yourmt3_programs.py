"""Channels and classes of instruments are the published ones, and stems hear their own."""

import pytest

from core.codec.yourmt3_programs import (
    CHANNELS,
    DRUM_CHANNEL,
    INSTRUMENT_CLASSES,
    SINGING_CHORUS,
    SINGING_VOICE,
    TRACK_NAMES,
    channels_of,
    with_written_programs,
)
from core.score.instruments import StemKind
from core.score.note import NoteEvent
from tests.core.codec.yourmt3_cases import GOLDEN

CHANNEL_OF = GOLDEN["layout"]["mc13_full_plus_256"]["program2channel"]
CLASS_OF = GOLDEN["output_program_map_gm_ext_plus"]
SINGING = (SINGING_VOICE, SINGING_CHORUS)


def written(program: int) -> int:
    (note,) = with_written_programs([NoteEvent(0.0, 60, 1.0, program=program)])
    return note.program


def test_channels_have_the_published_names_and_programs() -> None:
    ours = {
        str(program): [index, channel.name]
        for index, channel in enumerate(CHANNELS)
        for program in channel.programs or (128,)
    }
    assert ours == CHANNEL_OF


def test_classes_have_the_published_names_and_members() -> None:
    ours = {
        str(member): instruments.name
        for instruments in INSTRUMENT_CLASSES
        for member in instruments.members
    }
    assert ours == {program: name for program, (_, name) in CLASS_OF.items()}


@pytest.mark.parametrize("program", [int(p) for p in CLASS_OF if int(p) not in SINGING])
def test_a_program_is_written_as_the_first_of_its_class(program: int) -> None:
    assert written(program) == CLASS_OF[str(program)][0]


def test_singing_is_written_as_voices_not_as_the_saxophone_of_the_original() -> None:
    assert [written(program) for program in SINGING] == [53, 52]
    assert [TRACK_NAMES[53], TRACK_NAMES[52]] == ["Singing Voice", "Singing Voice (chorus)"]


@pytest.mark.parametrize("program", [96, 99, 102, 127])
def test_an_unknown_program_stays(program: int) -> None:
    assert written(program) == program


def test_drums_keep_their_kit() -> None:
    hit = NoteEvent(0.0, 38, 0.01, program=1, is_drum=True)
    assert with_written_programs([hit]) == (hit,)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (StemKind.VOCALS, ["Singing Voice"]),
        (StemKind.DRUMS, ["Drums"]),
        (StemKind.BASS, ["Bass"]),
        (StemKind.GUITAR, ["Guitar"]),
        (StemKind.KEYS, ["Piano", "Chromatic Percussion", "Organ"]),
        (StemKind.STRINGS, ["Strings"]),
        (StemKind.BRASS, ["Brass"]),
        (StemKind.WINDS, ["Reed", "Pipe"]),
    ],
)
def test_a_stem_hears_its_own_channels(kind: StemKind, names: list[str]) -> None:
    assert [CHANNELS[index].name for index in channels_of(kind)] == names


def test_a_mix_hears_everything_and_other_stems_what_is_no_drum() -> None:
    assert channels_of(StemKind.MIX) == tuple(range(13))
    assert channels_of(StemKind.OTHER) == tuple(range(DRUM_CHANNEL))
    assert channels_of(StemKind.SYNTH) == tuple(range(11))
