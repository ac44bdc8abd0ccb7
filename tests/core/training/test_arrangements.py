"""Songs out of archives and MIDI files, and what is made of them."""

import struct
from pathlib import Path

import numpy as np
import pytest

from core.midi.write import midi_bytes
from core.score.note import NoteEvent
from core.score.transcription import Track, Transcription
from core.training.arrangements import (
    FEWEST_NOTES,
    Arrangement,
    arrangement_of,
    excerpt,
    songs_in_wad,
)

DURATION_S = 12.0


def line(pitch: int, step_s: float = 0.5, length_s: float = 30.0) -> tuple[NoteEvent, ...]:
    starts = np.arange(0.0, length_s, step_s)
    return tuple(
        NoteEvent(float(at), pitch + i % 5, float(at) + 0.4) for i, at in enumerate(starts)
    )


def midi(*, parts: int = 3) -> bytes:
    tracks = [
        Track(f"part {n}", line(40 + 12 * n), program=33 if n == 0 else 8 * n) for n in range(parts)
    ]
    hits = tuple(NoteEvent(n.onset_s, 38, n.onset_s + 0.05, is_drum=True) for n in line(0))
    return midi_bytes(Transcription((Track("drums", hits, is_drum=True), *tracks)))


def song() -> Arrangement:
    found = arrangement_of(midi())
    assert found is not None
    return found


def wad(*entries: bytes) -> bytes:
    table_at = 12 + sum(map(len, entries))
    table, at = b"", 12
    for number, entry in enumerate(entries):
        table += struct.pack("<ii8s", at, len(entry), f"D_{number}".encode())
        at += len(entry)
    return struct.pack("<4sii", b"PWAD", len(entries), table_at) + b"".join(entries) + table


def test_a_song_has_its_parts_and_its_drums() -> None:
    found = song()
    assert len(found.parts) == 3
    assert len(found.drums) == 60
    assert found.duration_s == pytest.approx(29.9, abs=0.05)


def test_a_song_of_one_part_is_none() -> None:
    assert arrangement_of(midi(parts=1)) is None


def test_what_is_no_midi_is_none() -> None:
    assert arrangement_of(b"MThd and then nothing") is None


def test_an_archive_gives_each_song_once(tmp_path: Path) -> None:
    path = tmp_path / "songs.wad"
    path.write_bytes(wad(midi(), b"a texture", midi(), midi(parts=4), b""))
    assert [len(song.parts) for song in songs_in_wad(path)] == [3, 4]


@pytest.mark.parametrize("cut", [0, 5, 12, 40, -8])
def test_an_archive_cut_short_gives_what_is_whole(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "songs.wad"
    path.write_bytes(wad(midi())[:cut])
    assert songs_in_wad(path) == []


def test_an_archive_that_lies_about_places_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "songs.wad"
    entry = struct.pack("<ii8s", -5, 2**31 - 1, b"D_LIE")
    path.write_bytes(struct.pack("<4sii", b"PWAD", 2**30, 12) + entry)
    assert songs_in_wad(path) == []


def test_excerpts_lie_within_their_time_and_among_reachable_keys() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        drawn = excerpt(rng, song(), DURATION_S)
        assert drawn is not None
        for part in drawn.parts:
            assert len(part.notes) >= FEWEST_NOTES
            assert min(note.onset_s for note in part.notes) >= 0
            assert max(note.offset_s for note in part.notes) <= DURATION_S + 0.1
            middle = np.median([note.pitch for note in part.notes])
            assert part.family.lowest_pitch <= middle <= part.family.highest_pitch


def test_excerpts_are_cast_in_many_ways() -> None:
    rng = np.random.default_rng(2)
    casts = {
        tuple(part.family.name for part in drawn.parts)
        for drawn in (excerpt(rng, song(), DURATION_S) for _ in range(30))
        if drawn is not None
    }
    assert len(casts) > 20


def test_some_parts_are_doubled_at_the_same_time() -> None:
    rng = np.random.default_rng(3)
    doubled = 0
    for _ in range(30):
        drawn = excerpt(rng, song(), DURATION_S)
        assert drawn is not None
        if len(drawn.parts) > 3:
            doubled += 1
            copy = drawn.parts[3].notes
            near = [
                min(
                    abs(note.onset_s - other.onset_s)
                    for part in drawn.parts[:3]
                    for other in part.notes
                )
                for note in copy
            ]
            assert max(near) < 0.05
    assert 10 < doubled < 30


def test_a_place_where_nobody_plays_is_none() -> None:
    lonely = Arrangement(song().parts[:1], (), 30.0)
    assert excerpt(np.random.default_rng(4), lonely, DURATION_S) is None
