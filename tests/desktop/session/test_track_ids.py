"""A track stays the same one, whatever it is called and however its stem is named again."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.codec.tokens_to_notes import DecodeLosses
from core.engine.heard import HeardTokens, Posteriors
from core.score.instruments import StemKind
from desktop.session.commands import (
    add_files,
    choose_for_stem,
    rename_track,
    toggle_mute,
    toggle_solo,
)
from desktop.session.document import Document, StemState
from desktop.session.naming import named_again
from desktop.session.track_ids import HUES, StemId, TrackColours, TrackId, track_ids
from desktop.views.theme import palette
from tests import make
from tests.desktop.fakes import heard, with_posteriors

pytestmark = pytest.mark.gui
STEM = StemId(7)


def played(program, count, confidence=0.9, *, first_s=0.0):
    """Return notes of an instrument, a second apart; each instrument in a register of its own."""
    return [
        replace(
            make.note(36 + program, first_s + place, first_s + place + 0.5),
            program=program,
            confidence=confidence,
        )
        for place in range(count)
    ]


def written(kind, *notes):
    """Return a stem that a token model heard."""
    said = Posteriors(tokens=HeardTokens((), tuple(notes), DecodeLosses()))
    return with_posteriors(heard(Path("a.wav"), kind=kind), said)


@pytest.fixture
def document(qapp):
    document = Document()
    add_files(document, [Path("a.wav")], song_name="Blue")
    yield document
    document.close()


def hear(document, stem):
    (queued,) = document.stems
    heard_stem = named_again(stem, queued.choice.notes)
    document.put_stem(replace(queued, state=StemState.DONE, heard=heard_stem))


def tracks(document):
    return document.tracks_of(document.current_song.song_id)


def choose(document, **changes):
    (stem,) = document.stems
    notes = replace(stem.choice.notes, **changes)
    choose_for_stem(document, stem, replace(stem.choice, notes=notes))


def test_a_muted_track_stays_muted_when_it_is_renamed_and_the_sensitivity_slides(document):
    guitar = [*played(24, 4, 0.3), *played(27, 3, 0.9, first_s=10.0)]
    hear(document, written(StemKind.GUITAR, *guitar))
    (track,) = tracks(document)
    toggle_mute(document, document.current_song, track.track_id)
    rename_track(document, document.current_song, track.track_id, "Strat")
    choose(document, sensitivity=-0.9)  # leaves what was played by another program
    (after,) = tracks(document)
    assert (track.track.program, after.track.program) == (24, 27)
    assert (after.is_muted, after.track.name) == (True, "Strat")


def test_a_track_of_a_mix_stays_soloed_and_of_its_colour_when_another_one_goes(document):
    mix = [*played(0, 4, 0.1), *played(24, 4), *played(33, 4)]
    hear(document, written(StemKind.MIX, *mix))
    before = tracks(document)[2]
    toggle_solo(document, document.current_song, before.track_id)
    choose(document, sensitivity=-1.0)
    assert [item.track.program for item in tracks(document)] == [24, 33]
    after = tracks(document)[1]
    assert (after.is_soloed, after.colour_index) == (True, before.colour_index)


def test_a_track_that_takes_the_name_of_its_playing_style_stays_muted(document):
    nylon, steel = played(24, 4), played(25, 4, 0.1)
    hear(document, written(StemKind.MIX, *nylon, *steel))
    before = tracks(document)[0]
    toggle_mute(document, document.current_song, before.track_id)
    choose(document, sensitivity=-1.0)
    (after,) = tracks(document)
    assert (before.track.name, after.track.name) == (
        "Acoustic Guitar (nylon)",
        "Acoustic Guitar",
    )
    assert after.is_muted


def test_a_muted_instrument_stays_muted_when_tidying_is_switched_off(document):
    hear(document, written(StemKind.GUITAR, *played(24, 4), *played(0, 1, first_s=10.0)))
    toggle_mute(document, document.current_song, tracks(document)[0].track_id)
    choose(document, is_tidied=False)
    assert [(item.track.program, item.is_muted) for item in tracks(document)] == [
        (0, False),
        (24, True),
    ]


@pytest.mark.parametrize(
    ("kind", "own"), [(StemKind.KEYS, 1), (StemKind.DRUMS, 0), (StemKind.MIX, None)]
)
def test_the_instrument_of_a_stem_is_what_has_the_most_notes(kind, own):
    heard_tracks = [
        make.drums(make.note(38)),
        make.track(make.note(60), make.note(64), program=4),
        make.track(make.note(60), program=0),
    ]
    ids = track_ids(STEM, kind, heard_tracks)
    by_program = [TrackId(STEM, 0, is_drum=True), TrackId(STEM, 4), TrackId(STEM, 0)]
    expected = [
        TrackId(STEM) if place == own else track_id for place, track_id in enumerate(by_program)
    ]
    assert list(ids) == expected


def test_tracks_of_one_program_are_told_apart():
    twice = [make.track(make.note(60)), make.track(make.note(64))]
    first, second = track_ids(STEM, StemKind.MIX, twice)
    assert first != second


def test_the_first_track_has_the_colour_of_its_stem_and_the_others_their_own():
    colours = TrackColours()
    stems = [colours.of_stem(StemId(number)) for number in (1, 2)]
    tracks_of_first = [colours.of_track(TrackId(StemId(1), program)) for program in (0, 24, 33)]
    assert tracks_of_first[0] == stems[0]
    assert colours.of_track(TrackId(StemId(2))) == stems[1]
    assert len({*stems, *tracks_of_first}) == 4


def test_colours_come_again_only_once_all_are_used():
    colours = TrackColours()
    given = [colours.of_track(TrackId(STEM, program)) for program in range(HUES + 1)]
    assert sorted(given[:HUES]) == list(range(HUES))
    assert given[HUES] == given[0]


def test_there_are_as_many_hues_as_the_palette_has():
    assert len(palette().tracks) == HUES
