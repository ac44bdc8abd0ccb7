import hashlib

import numpy as np
import pytest
import soundfile
import soxr

from core.audio.read import read_audio, scan_audio, stream_mid_and_side, stream_mono, stream_stereo
from tests.make_bad_audio import RATE, encoded, tone, written

# Beside each suffix: what it is called, and the delay and padding that the format itself adds.
FORMATS = [
    ("wav", "WAV 16-bit", 0.0),
    ("aiff", "AIFF 16-bit", 0.0),
    ("flac", "FLAC 16-bit", 0.0),
    ("ogg", "Ogg Vorbis", 0.0),
    ("mp3", "MP3", 0.0),
    ("caf", "PCM 16-bit", 0.0),
    ("w64", "W64 16-bit", 0.0),
    ("rf64", "RF64 16-bit", 0.0),
    ("au", "AU 16-bit", 0.0),
    ("m4a", "AAC", 0.025),
    ("mp4", "AAC", 0.025),
    ("mov", "PCM 16-bit", 0.0),
    ("mkv", "AAC", 0.025),
    ("mka", "AAC", 0.025),
    ("webm", "Opus", 0.0),
    ("opus", "Opus", 0.0),
    ("aac", "AAC", 0.05),
    ("wma", "WMA", 0.05),
    ("wv", "WavPack", 0.0),
]


@pytest.mark.parametrize(("suffix", "called", "padding_s"), FORMATS)
def test_every_format_keeps_its_length_level_and_channels(suffix, called, padding_s, tmp_path):
    scan = scan_audio(written(tmp_path / f"take.{suffix}", tone(2.0)))
    assert scan.format == called
    assert scan.channels == 2
    assert scan.duration_s == pytest.approx(2.0, abs=padding_s + 1e-6)
    assert scan.level_p95 == pytest.approx(0.375, abs=0.03)  # mean of 0.5 and 0.25
    assert 0.375 <= scan.peak + 0.01 <= 0.5  # lossy codecs overshoot where the tone breaks off


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "m4a", "mkv", "opus", "wv"])
def test_an_onset_is_where_it_was_played(suffix, tmp_path):
    samples = np.zeros((2 * RATE, 2), np.float32)
    samples[RATE:] = tone(1.0)
    clip = read_audio(written(tmp_path / f"onset.{suffix}", samples))
    onset_s = np.argmax(np.abs(clip.samples[:, 0]) > 0.1) / clip.sample_rate
    assert onset_s == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize(
    ("subtype", "called"),
    [
        ("PCM_U8", "WAV 8-bit"),
        ("PCM_24", "WAV 24-bit"),
        ("PCM_32", "WAV 32-bit"),
        ("FLOAT", "WAV 32-bit float"),
        ("DOUBLE", "WAV 64-bit float"),
        ("ULAW", "WAV u-law"),
        ("ALAW", "WAV A-law"),
        ("MS_ADPCM", "WAV MS_ADPCM"),
        ("IMA_ADPCM", "WAV IMA_ADPCM"),
    ],
)
def test_every_kind_of_wav_is_read(subtype, called, tmp_path):
    scan = scan_audio(written(tmp_path / "a.wav", tone(1.0), subtype=subtype))
    assert scan.format == called
    assert scan.level_p95 == pytest.approx(0.375, abs=0.03)


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT", "DOUBLE"])
def test_extensible_wav_is_read(subtype, tmp_path):
    path = written(tmp_path / "a.wav", tone(1.0), format="WAVEX", subtype=subtype)
    assert scan_audio(path).duration_s == 1.0


def test_big_endian_wav_is_read(tmp_path):
    path = written(tmp_path / "a.wav", tone(1.0), endian="BIG")
    assert path.read_bytes()[:4] == b"RIFX"
    assert scan_audio(path).duration_s == 1.0


@pytest.mark.parametrize("channels", [1, 3, 6, 8])
def test_any_number_of_channels_is_mixed_to_their_mean(channels, tmp_path):
    samples = tone(1.0, channels=channels)
    path = written(tmp_path / "a.wav", samples, subtype="FLOAT")
    assert scan_audio(path).channels == channels
    assert np.concatenate(list(stream_mono(path, RATE))) == pytest.approx(
        samples.mean(axis=1), abs=1e-6
    )


def test_sound_on_one_side_only_is_read(tmp_path):
    samples = tone(1.0) * np.array([[1.0, 0.0]], np.float32)
    assert scan_audio(written(tmp_path / "a.wav", samples)).peak == pytest.approx(0.25, abs=1e-3)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 48_000, 96_000, 192_000])
def test_rates_from_8_to_192_khz_are_read_and_resampled(rate, tmp_path):
    path = written(tmp_path / "a.wav", tone(1.0, rate=rate), rate=rate)
    assert scan_audio(path).sample_rate == rate
    streamed = np.concatenate(list(stream_mono(path, 16_000)))
    assert len(streamed) == pytest.approx(16_000, abs=1)
    assert np.abs(streamed).max() == pytest.approx(0.375, abs=0.03)


@pytest.mark.parametrize("wrong", ["mp3", "m4a", "txt", ""])
@pytest.mark.parametrize("right", ["wav", "flac", "mp3", "m4a", "ogg"])
def test_the_extension_is_only_a_hint(right, wrong, tmp_path):
    path = written(tmp_path / f"a.{right}", tone(0.5)).rename(tmp_path / f"b.{wrong}")
    assert scan_audio(path).duration_s == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("suffix", ["mp3", "flac"])
def test_a_tag_with_a_large_picture_in_front_does_no_harm(suffix, tmp_path):
    path = written(tmp_path / f"a.{suffix}")
    size = 3_000_000
    seven_bits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\0\0" + seven_bits + bytes(size) + path.read_bytes())
    assert scan_audio(path).duration_s == pytest.approx(2.0, abs=0.03)


def test_mp3_inside_wav_is_read(tmp_path):
    path = encoded(tmp_path / "a.wav", tone(), "libmp3lame", container="wav")
    assert scan_audio(path).format == "MP3"


def test_alac_is_exact(tmp_path):
    samples = tone(1.0)
    path = encoded(tmp_path / "a.m4a", samples, "alac")
    assert read_audio(path).samples[: len(samples)] == pytest.approx(samples, abs=1e-4)


def test_flac_of_unknown_length_is_read_to_its_end(tmp_path):
    path = written(tmp_path / "streamed.flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the number of samples in STREAMINFO, 36 bits
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert scan_audio(path).duration_s == 2.0


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF])
def test_wav_of_unknown_length_is_read_to_its_end(stated, tmp_path):
    path = written(tmp_path / "piped.wav")
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = stated.to_bytes(4, "little")
    path.write_bytes(content)
    assert scan_audio(path).duration_s == 2.0


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac"])
def test_reading_in_blocks_equals_reading_at_once(suffix, tmp_path):
    noise = 0.2 * np.random.default_rng(2).standard_normal((6 * RATE, 2)).astype(np.float32)
    path = written(tmp_path / f"a.{suffix}", noise)
    assert np.array_equal(
        read_audio(path).samples, soundfile.read(path, dtype="float32", always_2d=True)[0]
    )


def test_clip_keeps_channels_rate_and_source(tmp_path):
    path = written(tmp_path / "a.wav", tone(0.5, rate=48_000), rate=48_000)
    clip = read_audio(path)
    assert (clip.samples.shape, clip.sample_rate, clip.source) == ((24_000, 2), 48_000, path)


def test_stream_equals_resampling_at_once(tmp_path):
    samples = tone(7.3)
    path = written(tmp_path / "a.wav", samples, subtype="FLOAT")
    at_once = soxr.resample(samples.mean(axis=1), RATE, 16_000, "HQ")
    assert np.concatenate(list(stream_mono(path, 16_000))) == pytest.approx(at_once, abs=1e-5)


def test_stream_comes_in_equal_blocks_and_a_shorter_last_one(tmp_path):
    path = written(tmp_path / "a.wav", tone(7.25))
    lengths = [len(block) for block in stream_mono(path, 16_000, block_s=2.0)]
    assert lengths == [32_000, 32_000, 32_000, 20_000]


@pytest.mark.parametrize("rate", [16_000, RATE])
def test_stream_ends_where_it_is_told(rate, tmp_path):
    path = written(tmp_path / "a.wav", tone(7.25))
    blocks = list(stream_mono(path, rate, block_s=2.0, until_s=4.5))
    assert sum(len(block) for block in blocks) == round(4.5 * rate)


def test_stream_until_beyond_the_end_is_the_whole_file(tmp_path):
    path = written(tmp_path / "a.wav", tone(1.0))
    assert sum(len(block) for block in stream_mono(path, RATE, until_s=99.0)) == RATE


def test_level_is_the_95th_percentile_of_the_peaks_of_tenths_of_a_second(tmp_path):
    steps = np.repeat(np.arange(1, 41) / 50, RATE // 10).astype(np.float32)[:, None]
    scan = scan_audio(written(tmp_path / "a.wav", steps, subtype="FLOAT"))
    assert scan.peak == pytest.approx(0.8)
    assert scan.level_p95 == pytest.approx(np.percentile(np.arange(1, 41) / 50, 95), abs=1e-6)


def test_scan_draws_what_it_heard(tmp_path):
    scan = scan_audio(written(tmp_path / "a.wav", tone(2.0)))
    columns = scan.peaks.between(0.0, 2.0, 10)
    assert scan.peaks.duration_s == scan.duration_s == 2.0
    assert columns.maximum == pytest.approx(np.full(10, 0.375), abs=2e-3)
    assert columns.minimum == pytest.approx(np.full(10, -0.375), abs=2e-3)


def test_scan_names_the_content_by_its_sha256(tmp_path):
    path = written(tmp_path / "a.flac")
    assert scan_audio(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", ["wav", "mp3", "mov"])
def test_scan_tells_how_far_it_is(suffix, tmp_path):
    fractions: list[float] = []
    scan_audio(written(tmp_path / f"a.{suffix}", tone(8.0)), on_fraction=fractions.append)
    assert len(fractions) > 3
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0, abs=0.05)


def test_scan_can_be_stopped_from_its_report(tmp_path):
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_audio(written(tmp_path / "a.m4a"), on_fraction=stop)


@pytest.mark.parametrize(("channels", "taken"), [(1, [0, 0]), (2, [0, 1]), (6, [0, 1])])
@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_stereo_stream_is_left_and_right_at_the_rate_of_the_sound_card(
    channels, taken, rate, tmp_path
):
    samples = tone(3.0, channels=channels)
    path = written(tmp_path / "a.wav", samples, subtype="FLOAT")
    blocks = list(stream_stereo(path, rate, block_s=1.0))
    assert [block.shape for block in blocks] == [(rate, 2)] * 3
    expected = soxr.resample(samples[:, taken], RATE, rate)
    assert np.concatenate(blocks) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_the_side_is_half_of_what_left_has_and_right_has_not(rate, tmp_path):
    samples = tone(3.0, channels=6)
    path = written(tmp_path / "a.wav", samples, subtype="FLOAT")
    heard = np.concatenate(list(stream_mid_and_side(path, rate, until_s=2.0)))
    mono = np.concatenate(list(stream_mono(path, rate, until_s=2.0)))
    side = soxr.resample((samples[:, 0] - samples[:, 1]) / 2, RATE, rate)[: 2 * rate]
    assert heard[:, 0] == pytest.approx(mono, abs=1e-6)
    assert heard[:, 1] == pytest.approx(side, abs=1e-5)


def test_a_file_of_one_channel_has_no_side(tmp_path):
    path = written(tmp_path / "a.wav", tone(1.0, channels=1))
    assert [block.shape for block in stream_mid_and_side(path, RATE)] == [(RATE, 1)]
