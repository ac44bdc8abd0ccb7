"""The built-in models over streams of audio."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from core.codec.posteriors_to_notes import (
    DRUM_GROUPS,
    DecodeOptions,
    notes_from_drums,
    notes_from_pitch,
)
from core.engine import built_in
from core.engine.built_in import DrumListener, PitchListener, drum_gain, pitch_gain
from core.engine.note_hearing import NoteWeights
from core.score.note import NoteEvent

WEIGHTS = Path(__file__).resolve().parents[3] / "resources" / "models"
PITCH, DRUMS = WEIGHTS / "pitch_v7.safetensors", WEIGHTS / "drums_v4.safetensors"
NOTES = NoteWeights(WEIGHTS / "families_v5.safetensors", WEIGHTS / "unisons_v1.safetensors")
RATE_HZ = 22_050

Samples = npt.NDArray[np.float32]


def plucked(pitch: int, length_s: float = 0.5) -> Samples:
    """A tone of five partials that dies away [sample]."""
    at_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    hz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * hz * k * at_s) / k for k in range(1, 6))
    return np.asarray(0.3 * wave * np.exp(-at_s * 4) * np.minimum(1, at_s / 0.004), np.float32)


def melody(*pitches: int) -> Samples:
    return np.concatenate([np.zeros(RATE_HZ // 2, np.float32), *map(plucked, pitches)])


def blocks(samples: Samples, *lengths: int) -> Iterator[Samples]:
    """Cut samples into blocks of the lengths, repeated."""
    start = number = 0
    while start < len(samples):
        length = lengths[number % len(lengths)]
        yield samples[start : start + length]
        start, number = start + length, number + 1


def ignore(_seconds: float) -> None:
    pass


@pytest.fixture(scope="module")
def pitch() -> PitchListener:
    return PitchListener(PITCH)


@pytest.fixture(scope="module")
def drums() -> DrumListener:
    return DrumListener(DRUMS)


@pytest.mark.parametrize("lengths", [(22_050,), (1, 7, 100_000), (4096, 300_000)])
def test_pitch_does_not_depend_on_block_lengths(
    pitch: PitchListener, lengths: tuple[int, ...]
) -> None:
    samples = melody(*range(50, 90))
    whole = pitch.posteriors([samples], gain=1.0, on_seconds_done=ignore)
    cut = pitch.posteriors(blocks(samples, *lengths), gain=1.0, on_seconds_done=ignore)
    assert np.abs(whole.onset.astype(float) - cut.onset).max() < 1e-3
    assert np.abs(whole.frame.astype(float) - cut.frame).max() < 1e-3


@pytest.mark.parametrize("segment_s", [2.0, 5.0])
def test_pitch_does_not_depend_on_segment_borders(
    monkeypatch: pytest.MonkeyPatch, segment_s: float
) -> None:
    monkeypatch.setattr(built_in, "_fastest_cpu_dtype", lambda: torch.float32)
    listener = PitchListener(PITCH)
    samples = melody(*range(50, 90))
    monkeypatch.setattr(built_in, "SEGMENT_S", 60.0)
    whole = listener.posteriors([samples], gain=1.0, on_seconds_done=ignore)
    monkeypatch.setattr(built_in, "SEGMENT_S", segment_s)
    cut = listener.posteriors([samples], gain=1.0, on_seconds_done=ignore)
    assert np.abs(whole.onset.astype(float) - cut.onset).max() < 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("segment_s", [1.7, 5.0])
def test_notes_are_the_same_wherever_segments_end(
    monkeypatch: pytest.MonkeyPatch, segment_s: float, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(built_in, "_fastest_cpu_dtype", lambda: dtype)
    keys, kit = PitchListener(PITCH), DrumListener(DRUMS)
    samples = [melody(*range(50, 66))]

    def notes() -> tuple[NoteEvent, ...]:
        heard = keys.posteriors(samples, gain=1.0, on_seconds_done=ignore)
        struck = kit.posteriors(samples, gain=1.0, on_seconds_done=ignore)
        sensitive = DecodeOptions(drum_thresholds=(0.05,) * len(DRUM_GROUPS))
        return notes_from_pitch(heard, DecodeOptions()) + notes_from_drums(struck, sensitive)

    monkeypatch.setattr(built_in, "SEGMENT_S", 60.0)
    whole = notes()
    monkeypatch.setattr(built_in, "SEGMENT_S", segment_s)
    assert len(whole) > 16
    assert notes() == whole


@pytest.mark.parametrize("is_stereo", [False, True])
@pytest.mark.parametrize("segment_s", [1.7, 5.0])
def test_players_are_the_same_wherever_segments_end(
    monkeypatch: pytest.MonkeyPatch, segment_s: float, is_stereo: bool
) -> None:
    monkeypatch.setattr(built_in, "_fastest_cpu_dtype", lambda: torch.float32)
    keys = PitchListener(PITCH, NOTES)
    mono = melody(*range(50, 66))
    samples = np.stack([mono, 0.3 * mono], 1) if is_stereo else mono

    def told() -> list[npt.NDArray[np.uint8]]:
        heard = keys.posteriors([samples], gain=1.0, on_seconds_done=ignore)
        assert heard.struck is not None
        notes = notes_from_pitch(heard, DecodeOptions())
        frames = [round(note.onset_s * heard.frames_per_s) for note in notes]
        found = [
            heard.struck.opinion_at(frame, note.pitch - 21)
            for frame, note in zip(frames, notes, strict=True)
        ]
        return [opinion for opinion in found if opinion is not None]

    monkeypatch.setattr(built_in, "SEGMENT_S", 60.0)
    whole = told()
    monkeypatch.setattr(built_in, "SEGMENT_S", segment_s)
    assert len(whole) == 16
    assert np.abs(np.stack(told()).astype(int) - np.stack(whole)).max() <= 1


def test_a_stereo_mix_has_the_notes_of_its_mono_mix_but_players_are_heard_apart() -> None:
    keys, mono = PitchListener(PITCH, NOTES), melody(*range(50, 66))
    stereo = np.stack([mono, np.float32(0.5) * mono], 1)
    alone, both = (
        keys.posteriors([block], gain=1.0, on_seconds_done=ignore) for block in (mono, stereo)
    )
    assert np.abs(alone.onset.astype(float) - both.onset).max() < 0.02
    assert alone.struck is not None
    assert both.struck is not None
    assert np.abs(alone.struck.family.astype(int).mean(0) - both.struck.family.mean(0)).max() > 5


def test_notes_are_the_same_whatever_comes_after_them(pitch: PitchListener) -> None:
    first, rest = melody(*range(50, 60)), melody(*range(70, 90))

    def notes(*parts: Samples) -> tuple[NoteEvent, ...]:
        heard = pitch.posteriors(iter(parts), gain=1.0, on_seconds_done=ignore)
        return notes_from_pitch(heard, DecodeOptions())

    alone = notes(first, np.zeros(RATE_HZ, np.float32))
    assert len(alone) == 10
    assert notes(first, np.zeros(RATE_HZ, np.float32), rest)[:10] == alone


def test_drums_do_not_depend_on_block_lengths(drums: DrumListener) -> None:
    rng = np.random.default_rng(0)
    samples = (rng.normal(0, 0.2, 20 * RATE_HZ) * (rng.random(20 * RATE_HZ) < 0.01)).astype("f4")
    whole = drums.posteriors([samples], gain=1.0, on_seconds_done=ignore)
    cut = drums.posteriors(blocks(samples, 5000, 70_001), gain=1.0, on_seconds_done=ignore)
    assert np.abs(whole.onset.astype(float) - cut.onset).max() < 1e-3


def test_a_melody_is_heard_note_for_note(pitch: PitchListener) -> None:
    played = (60, 64, 67, 72, 71, 67, 62, 60)
    heard = pitch.posteriors([melody(*played)], gain=1.0, on_seconds_done=ignore)
    notes = notes_from_pitch(heard, DecodeOptions())
    assert tuple(note.pitch for note in notes) == played
    assert [note.onset_s for note in notes] == pytest.approx(
        [0.5 + 0.5 * number for number in range(8)], abs=0.03
    )


def test_silence_has_no_notes(pitch: PitchListener, drums: DrumListener) -> None:
    silence = [np.zeros(3 * RATE_HZ, np.float32)]
    keys = pitch.posteriors(silence, gain=pitch_gain(0.0), on_seconds_done=ignore)
    hits = drums.posteriors(silence, gain=drum_gain(0.0), on_seconds_done=ignore)
    assert notes_from_pitch(keys, DecodeOptions()) == ()
    assert notes_from_drums(hits, DecodeOptions()) == ()


@pytest.mark.parametrize("length", [0, 1, 219, 441, 500])
def test_clips_shorter_than_a_few_frames_are_no_error(
    pitch: PitchListener, drums: DrumListener, length: int
) -> None:
    block = [np.zeros(length, np.float32)]
    keys = pitch.posteriors(block, gain=1.0, on_seconds_done=ignore)
    hits = drums.posteriors(block, gain=1.0, on_seconds_done=ignore)
    assert keys.onset.shape == (length // 441, 88)
    assert hits.onset.shape == (length // 220, 10)


def test_progress_comes_at_least_every_ten_seconds(pitch: PitchListener) -> None:
    done_s: list[float] = []
    pitch.posteriors([np.zeros(25 * RATE_HZ, np.float32)], gain=1.0, on_seconds_done=done_s.append)
    assert np.diff([0.0, *done_s]).max() <= 10.0
    assert done_s[-1] == pytest.approx(25.0, abs=0.02)


def test_what_progress_raises_ends_the_listening(pitch: PitchListener) -> None:
    def stop(_seconds: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        pitch.posteriors([np.zeros(25 * RATE_HZ, np.float32)], gain=1.0, on_seconds_done=stop)


def test_gain_brings_quiet_and_loud_to_the_same_level() -> None:
    assert pitch_gain(0.07) == pytest.approx(10.0)
    assert drum_gain(0.5) == pytest.approx(1.8)


def test_audio_is_heard_as_it_streams() -> None:
    """Blocks of half a minute are heard before the next ones are read."""
    pitch = PitchListener(PITCH, threads=1)
    done_s: list[float] = []
    seen_at_block: list[int] = []

    def slowly() -> Iterator[Samples]:
        for _ in range(4):
            seen_at_block.append(len(done_s))
            yield np.zeros(10 * RATE_HZ, np.float32)

    pitch.posteriors(slowly(), gain=1.0, on_seconds_done=done_s.append)
    assert seen_at_block[-1] >= 2


@pytest.mark.parametrize("cents", [-35, 35])
def test_music_that_is_out_of_tune_is_heard_in_its_own_tuning(
    pitch: PitchListener, cents: float
) -> None:
    samples = melody(60, 64, 67, 72, 65, 69)
    speed = 2 ** (cents / 1200)
    at = np.arange(0, len(samples) - 1, speed)
    detuned = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    heard = pitch.posteriors([detuned], gain=1.0, on_seconds_done=ignore)
    notes = notes_from_pitch(heard, DecodeOptions())
    assert [note.pitch for note in notes] == [60, 64, 67, 72, 65, 69]
