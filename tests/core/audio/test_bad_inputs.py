import os
import pickle
from collections.abc import Callable
from functools import cache
from io import FileIO
from itertools import chain
from pathlib import Path

import pytest

from core.audio import disk_file
from core.audio.read import read_audio, scan_audio, stream_mono
from core.errors import AudioReadError, printable_name
from tests.make_bad_audio import (
    BAD_INPUTS,
    GOOD_BUT_ODD_NAMES,
    BadInput,
    tone,
    without_rights,
    written,
)

REFUSED_ONLY_BY_SCAN = {"silence", "-90 dBFS", "opposite polarity"}


def _table(inputs: list[BadInput]) -> list:
    root_reads_all = pytest.mark.skipif(os.geteuid() == 0, reason="root ignores file rights")
    return [
        pytest.param(bad, id=bad.name, marks=root_reads_all if bad.build is without_rights else ())
        for bad in inputs
    ]


def test_the_table_holds_at_least_forty_inputs_each_with_its_own_name():
    assert len({bad.name for bad in BAD_INPUTS}) == len(BAD_INPUTS) >= 40


@pytest.fixture(scope="module")
def path_of(tmp_path_factory) -> Callable[[BadInput], Path]:
    """Build each input once, as it is asked for."""
    return cache(lambda bad: bad.build(tmp_path_factory.mktemp("bad")))


@pytest.mark.parametrize("bad", _table(BAD_INPUTS))
def test_bad_input_is_refused_with_its_own_words(bad, path_of):
    with pytest.raises(AudioReadError) as refusal:
        scan_audio(path_of(bad))
    assert bad.phrase in str(refusal.value)


@pytest.mark.parametrize("bad", _table(BAD_INPUTS))
def test_refusal_is_one_printable_line_with_a_next_step_and_survives_a_process_border(bad, path_of):
    path = path_of(bad)
    with pytest.raises(AudioReadError) as refusal:
        scan_audio(path)
    told = str(pickle.loads(pickle.dumps(refusal.value)))
    assert told == str(refusal.value)
    assert refusal.value.path == path
    assert refusal.value.remedy.endswith(".")
    assert "\n" not in told
    assert told.encode("utf-8").decode("utf-8") == told


@pytest.mark.parametrize(
    "bad", _table([bad for bad in BAD_INPUTS if bad.name not in REFUSED_ONLY_BY_SCAN])
)
def test_bad_input_is_refused_by_the_stream_and_by_playback_too(bad, path_of):
    path = path_of(bad)
    with pytest.raises(AudioReadError):
        list(stream_mono(path, 16_000))
    with pytest.raises(AudioReadError):
        read_audio(path)


def test_no_bad_file_ends_a_batch(path_of, tmp_path):
    good = written(tmp_path / "good.wav")
    bad_paths = [path_of(bad) for bad in BAD_INPUTS if bad.build is not without_rights]
    outcomes = []
    for path in chain.from_iterable((bad, good) for bad in bad_paths):
        try:
            outcomes.append(scan_audio(path).duration_s)
        except AudioReadError:
            outcomes.append(None)
    assert outcomes == [None, 2.0] * (len(BAD_INPUTS) - 1)


def test_missing_rights_are_told(tmp_path, monkeypatch):
    path = written(tmp_path / "locked.wav")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk_file, "FileIO", refuse)
    with pytest.raises(AudioReadError, match="you have no right to read it"):
        scan_audio(path)


def test_folder_without_right_of_passage_is_told(monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(AudioReadError, match="you have no right to read it"):
        scan_audio(Path("private/take.wav"))


class _FailingDisk(FileIO):
    """Fails beyond `good_bytes`, as a scratched disk or a lost network drive does."""

    good_bytes = 0

    def readinto(self, buffer):
        if self.tell() >= self.good_bytes:
            raise OSError(5, "Input/output error")
        return super().readinto(buffer)


@pytest.mark.parametrize("good_bytes", [0, 150_000])
@pytest.mark.parametrize("suffix", ["wav", "mov"])
def test_failing_disk_is_told_from_a_damaged_file(suffix, good_bytes, tmp_path, monkeypatch):
    path = written(tmp_path / f"take.{suffix}")
    monkeypatch.setattr(_FailingDisk, "good_bytes", good_bytes)
    monkeypatch.setattr(disk_file, "FileIO", _FailingDisk)
    with pytest.raises(AudioReadError, match="the system says: Input/output error"):
        scan_audio(path)


@pytest.mark.parametrize("name", GOOD_BUT_ODD_NAMES, ids=ascii)
def test_good_sound_is_read_whatever_its_name(name, tmp_path):
    suffix = name.rpartition(".")[2].lower()
    kind = suffix if suffix in {"wav", "flac", "m4a", "mp3", "ogg"} else "wav"
    path = written(tmp_path / f"plain.{kind}", tone(0.5)).rename(tmp_path / name)
    assert scan_audio(path).duration_s == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ギター　二本目.wav", "ギター　二本目.wav"),  # an ideographic space
        ("👩🏽\u200d🎤.wav", "👩🏽\u200d🎤.wav"),
        ("a\nb\t.wav", r"a\nb\t.wav"),
        ("a\u2028b.wav", r"a\u2028b.wav"),
        ("bass \udcff.wav", r"bass \udcff.wav"),
        ("x" * 100 + ".wav", "x" * 39 + "…" + "x" * 36 + ".wav"),
    ],
    ids=ascii,
)
def test_name_is_shown_on_one_line_in_valid_unicode(name, shown):
    assert printable_name(Path(name)) == shown
