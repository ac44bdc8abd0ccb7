import time
from pathlib import Path

import pytest

from core.audio.container import (
    breaks_off,
    container_of,
    other_kind_of,
    stated_fraction_present,
)
from core.audio.disk_file import DiskFile
from tests.make_bad_audio import encoded, tone, written


def seen(path: Path, what):
    with DiskFile(path) as file:
        return what(file)


@pytest.mark.parametrize(
    ("suffix", "kind", "decoder"),
    [
        ("wav", "WAV", "libsndfile"),
        ("rf64", "RF64", "libsndfile"),
        ("w64", "W64", "libsndfile"),
        ("aiff", "AIFF", "libsndfile"),
        ("au", "AU", "libsndfile"),
        ("flac", "FLAC", "libsndfile"),
        ("mp3", "MP3", "libsndfile"),
        ("ogg", "Ogg", "libsndfile"),
        ("opus", "Ogg", "ffmpeg"),
        ("caf", "CAF", "ffmpeg"),
        ("m4a", "MP4", "ffmpeg"),
        ("mov", "MP4", "ffmpeg"),
        ("mkv", "Matroska", "ffmpeg"),
        ("webm", "Matroska", "ffmpeg"),
        ("wma", "ASF", "ffmpeg"),
        ("wv", "WavPack", "ffmpeg"),
        ("aac", "AAC", "ffmpeg"),
    ],
)
def test_container_is_told_by_the_bytes_alone(suffix, kind, decoder, tmp_path):
    path = written(tmp_path / f"a.{suffix}", tone(0.3)).rename(tmp_path / "a")
    container = seen(path, container_of)
    assert (container.name, container.decoder.value) == (kind, decoder)


@pytest.mark.parametrize(("layer", "codec"), [("mp2", "mp2"), ("mp3", "libmp3lame")])
@pytest.mark.parametrize("rate", [16_000, 22_050, 32_000, 48_000])
def test_mpeg_frames_are_found_at_every_rate_behind_padding(layer, codec, rate, tmp_path):
    path = encoded(tmp_path / f"a.{layer}", tone(0.5, rate=rate), codec, rate=rate, container=layer)
    path.write_bytes(bytes(1000) + path.read_bytes())
    assert seen(path, container_of).name == "MP3"


@pytest.mark.parametrize("content", [b"", b"R", b"RIFF", b"\xff\xfb\x90\0", b"ID3\3\0\0\0\0\0\0"])
def test_too_little_to_judge_by_is_no_container(content, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(content)
    assert seen(path, container_of) is None


def test_cut_wav_holds_the_part_that_it_holds(tmp_path):
    path = written(tmp_path / "a.wav")
    content = path.read_bytes()
    path.write_bytes(content[: 44 + (len(content) - 44) // 4])
    assert seen(path, lambda file: stated_fraction_present(file, container_of(file))) == 0.25


@pytest.mark.parametrize("suffix", ["wav", "rf64", "w64", "aiff", "caf", "au", "flac"])
def test_whole_file_misses_nothing(suffix, tmp_path):
    path = written(tmp_path / f"a.{suffix}")
    assert seen(path, lambda file: stated_fraction_present(file, container_of(file))) == 1.0


def test_endless_empty_chunks_are_given_up(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(20_000_000))
    began = time.perf_counter()
    seen(path, lambda file: stated_fraction_present(file, container_of(file)))
    assert time.perf_counter() - began < 1.0  # 2.5 million chunks would take seconds


def test_whole_ogg_does_not_break_off_and_a_cut_one_does(tmp_path):
    path = written(tmp_path / "a.ogg")
    assert not seen(path, lambda file: breaks_off(file, container_of(file)))
    path.write_bytes(path.read_bytes()[:-1])
    assert seen(path, lambda file: breaks_off(file, container_of(file)))


def test_text_is_text_even_when_the_look_ends_within_a_letter(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x" + "ж" * 9000, encoding="utf-8")
    assert seen(path, other_kind_of) == "a text file"
