"""Posteriors to notes."""

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from core.codec.posteriors_to_notes import (
    DRUM_GROUPS,
    DRUM_KEYS,
    DecodeOptions,
    DrumPosteriors,
    PitchPosteriors,
    decode_options_for,
    notes_from_drums,
    notes_from_pitch,
)
from core.score.instruments import StemKind

FPS = 50.0
A4 = 69


def posteriors(
    frames: int = 100, *, onsets: dict[int, float], sounding: tuple[int, int]
) -> PitchPosteriors:
    """A4 with onset posteriors at frames, sounding from one frame to before another."""
    onset, frame, velocity = (np.zeros((frames, 88), np.float32) for _ in range(3))
    for at, confidence in onsets.items():
        onset[at, A4 - 21] = confidence
        velocity[at, A4 - 21] = 0.5
    frame[sounding[0] : sounding[1], A4 - 21] = 0.9
    return PitchPosteriors(onset, frame, velocity, FPS, 21)


def drum_posteriors(column: int, hits: dict[int, float], frames: int = 200) -> DrumPosteriors:
    onset, velocity = (np.zeros((frames, len(DRUM_KEYS)), np.float32) for _ in range(2))
    for at, confidence in hits.items():
        onset[at, column] = confidence
        velocity[at, column] = 1.0
    return DrumPosteriors(onset, velocity, 100.0)


def random_posteriors(frames: int, seed: int = 0) -> PitchPosteriors:
    rng = np.random.default_rng(seed)
    sparse: npt.NDArray[np.float16] = (rng.random((frames, 88)) ** 12).astype(np.float16)
    frame = np.repeat(rng.random((frames // 10 + 1, 88)), 10, 0)[:frames].astype(np.float16)
    return PitchPosteriors(sparse, frame, frame, FPS, 21)


def test_an_onset_with_a_sounding_key_becomes_one_note() -> None:
    (note,) = notes_from_pitch(posteriors(onsets={10: 0.9}, sounding=(10, 60)), DecodeOptions())
    assert (note.pitch, note.velocity) == (69, 64)
    assert note.onset_s == pytest.approx(0.2)
    assert note.offset_s == pytest.approx(1.2)
    assert note.confidence == pytest.approx(0.9)


def test_a_peak_between_two_frames_is_timed_between_them() -> None:
    heard = posteriors(onsets={10: 0.8, 11: 0.7}, sounding=(10, 60))
    (note,) = notes_from_pitch(heard, DecodeOptions())
    assert 0.2 < note.onset_s < 0.22


def test_an_onset_below_threshold_is_no_note() -> None:
    heard = posteriors(onsets={10: 0.45}, sounding=(10, 60))
    assert notes_from_pitch(heard, DecodeOptions(onset_threshold=0.5)) == ()


def test_more_sensitive_options_find_the_weak_note() -> None:
    heard = posteriors(onsets={10: 0.45}, sounding=(10, 60))
    assert len(notes_from_pitch(heard, DecodeOptions().more_sensitive_by(0.1))) == 1


@pytest.mark.parametrize(
    ("amounts", "asked"), [((0.2,), 0.0), ((-0.25,), 0.25), ((-0.5, 0.25), 0.25), ((-2.0,), 1.0)]
)
def test_less_sensitive_options_ask_for_as_much_more_confidence(
    amounts: tuple[float, ...], asked: float
) -> None:
    options = DecodeOptions()
    for amount in amounts:
        options = options.more_sensitive_by(amount)
    assert options.min_confidence == asked


@pytest.mark.parametrize(
    ("split_shift", "onsets_s"), [(0.0, [0.2, 0.8]), (0.2, [0.2, 0.6, 0.8]), (-0.3, [0.2])]
)
def test_a_swell_splits_a_sounding_note_the_sooner_the_more_it_is_wished(
    split_shift: float, onsets_s: list[float]
) -> None:
    heard = posteriors(onsets={10: 0.9, 30: 0.4, 40: 0.7}, sounding=(10, 80))
    notes = notes_from_pitch(heard, DecodeOptions(split_shift=split_shift))
    assert [note.onset_s for note in notes] == pytest.approx(onsets_s)
    assert notes[-1].offset_s == pytest.approx(1.6)


def test_a_weak_onset_in_silence_is_no_note_however_much_splitting_is_wished() -> None:
    heard = posteriors(onsets={10: 0.9, 70: 0.4}, sounding=(10, 50))
    assert len(notes_from_pitch(heard, DecodeOptions(split_shift=0.3))) == 1


def test_a_struck_note_after_silence_stays_however_little_splitting_is_wished() -> None:
    heard = posteriors(onsets={10: 0.9, 70: 0.6}, sounding=(10, 50))
    assert len(notes_from_pitch(heard, DecodeOptions(split_shift=-0.4))) == 2


def test_a_key_without_onset_is_no_note() -> None:
    assert notes_from_pitch(posteriors(onsets={}, sounding=(10, 60)), DecodeOptions()) == ()


def test_an_onset_in_the_first_frame_is_heard() -> None:
    (note,) = notes_from_pitch(posteriors(onsets={0: 0.9}, sounding=(0, 20)), DecodeOptions())
    assert note.onset_s == 0.0


def test_an_onset_in_the_last_frame_is_heard() -> None:
    (note,) = notes_from_pitch(posteriors(onsets={99: 0.9}, sounding=(99, 100)), DecodeOptions())
    assert note.onset_s == pytest.approx(1.98)


def test_a_second_onset_ends_the_first_note_before_it() -> None:
    heard = posteriors(onsets={10: 0.9, 30: 0.9}, sounding=(10, 60))
    first, second = notes_from_pitch(heard, DecodeOptions())
    assert first.offset_s == pytest.approx(0.59)
    assert second.offset_s == pytest.approx(1.2)


def test_two_peaks_within_sixty_milliseconds_are_one_onset_at_the_surer() -> None:
    heard = posteriors(onsets={10: 0.6, 12: 0.9}, sounding=(10, 60))
    (note,) = notes_from_pitch(heard, DecodeOptions())
    assert note.confidence == pytest.approx(0.9)


def test_a_dip_of_two_frames_does_not_end_a_note() -> None:
    heard = posteriors(onsets={10: 0.9}, sounding=(10, 60))
    heard.frame[30:32] = 0
    (note,) = notes_from_pitch(heard, DecodeOptions())
    assert note.offset_s == pytest.approx(1.2)


def test_a_silence_of_three_frames_ends_a_note() -> None:
    heard = posteriors(onsets={10: 0.9}, sounding=(10, 60))
    heard.frame[30:33] = 0
    (note,) = notes_from_pitch(heard, DecodeOptions())
    assert note.offset_s == pytest.approx(0.6)


def test_offset_shift_moves_the_end() -> None:
    heard = posteriors(onsets={10: 0.9}, sounding=(10, 60))
    (note,) = notes_from_pitch(heard, DecodeOptions(offset_shift_s=0.04))
    assert note.offset_s == pytest.approx(1.24)


def test_offset_shift_stops_at_the_next_onset_of_the_key() -> None:
    heard = posteriors(onsets={10: 0.9, 30: 0.9}, sounding=(10, 60))
    first, second = notes_from_pitch(heard, DecodeOptions(offset_shift_s=0.2))
    assert first.offset_s < second.onset_s


def test_notes_shorter_than_the_minimum_are_left_out() -> None:
    heard = posteriors(onsets={10: 0.9, 60: 0.9}, sounding=(60, 90))
    (note,) = notes_from_pitch(heard, DecodeOptions(min_note_s=0.2))
    assert note.onset_s == pytest.approx(1.2)


def test_a_monophonic_stem_ends_each_note_at_the_next() -> None:
    heard = posteriors(onsets={10: 0.9}, sounding=(10, 80))
    heard.onset[40, 10], heard.frame[40:90, 10] = 0.8, 0.9
    first, second = notes_from_pitch(heard, DecodeOptions(is_monophonic=True))
    assert first.offset_s == pytest.approx(second.onset_s)


def test_a_monophonic_stem_keeps_the_surer_of_two_notes_struck_together() -> None:
    heard = posteriors(onsets={10: 0.9}, sounding=(10, 80))
    heard.onset[11, 10], heard.frame[11:80, 10] = 0.6, 0.9
    (note,) = notes_from_pitch(heard, DecodeOptions(is_monophonic=True))
    assert note.pitch == 69


def test_velocity_stays_within_midi() -> None:
    heard = posteriors(onsets={10: 0.9}, sounding=(10, 60))
    heard.velocity[10] = 0.0
    assert notes_from_pitch(heard, DecodeOptions())[0].velocity == 1


@pytest.mark.parametrize("seed", range(5))
def test_notes_of_one_pitch_never_overlap(seed: int) -> None:
    options = DecodeOptions(onset_threshold=0.3, offset_shift_s=0.1)
    notes = notes_from_pitch(random_posteriors(600, seed), options)
    last_offset_s: dict[int, float] = {}
    overlaps = 0
    for note in notes:
        overlaps += last_offset_s.get(note.pitch, 0.0) > note.onset_s
        last_offset_s[note.pitch] = note.offset_s
    assert len(notes) > 100
    assert overlaps == 0


def test_notes_come_in_onset_order() -> None:
    notes = notes_from_pitch(random_posteriors(600), DecodeOptions(onset_threshold=0.3))
    assert list(notes) == sorted(notes)


def test_no_frames_give_no_notes() -> None:
    assert notes_from_pitch(random_posteriors(0), DecodeOptions()) == ()


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_few_frames_decode_without_error(frames: int) -> None:
    assert notes_from_pitch(random_posteriors(frames), DecodeOptions()) is not None


def test_four_minutes_decode_within_a_third_of_a_second() -> None:
    heard = random_posteriors(12_000)
    started_s = time.perf_counter()
    notes_from_pitch(heard, DecodeOptions(onset_threshold=0.9))
    # The budget is 0.3 s; other work on the machine must not fail the test.
    assert time.perf_counter() - started_s < 1.5


def test_a_drum_peak_becomes_a_hit_on_its_key() -> None:
    (hit,) = notes_from_drums(drum_posteriors(1, {50: 0.9}), DecodeOptions())
    assert (hit.pitch, hit.velocity, hit.is_drum) == (38, 127, True)
    assert hit.onset_s == pytest.approx(0.5)
    assert hit.offset_s == pytest.approx(0.55)


@pytest.mark.parametrize(("column", "key"), list(enumerate(DRUM_KEYS)))
def test_every_class_of_the_drum_network_reaches_its_key(column: int, key: int) -> None:
    (hit,) = notes_from_drums(drum_posteriors(column, {50: 0.9}), DecodeOptions())
    assert hit.pitch == key


def test_a_network_torn_between_two_hi_hats_still_hears_one_stroke() -> None:
    closed, opened = (drum_posteriors(column, {50: sure}) for column, sure in ((2, 0.4), (3, 0.45)))
    heard = replace(closed, onset=closed.onset + opened.onset)
    (hit,) = notes_from_drums(heard, DecodeOptions(drum_thresholds=(0.6,) * 5))
    assert hit.pitch == 46
    assert hit.confidence == pytest.approx(1 - 0.6 * 0.55)


def test_a_snare_and_a_hi_hat_at_once_are_two_strokes() -> None:
    snare, hat = (drum_posteriors(column, {50: 0.9}) for column in (1, 2))
    heard = replace(snare, onset=snare.onset + hat.onset)
    assert [hit.pitch for hit in notes_from_drums(heard, DecodeOptions())] == [38, 42]


def test_a_stroke_hidden_once_in_a_groove_is_found_if_repetition_counts() -> None:
    beats = dict.fromkeys(range(50, 1000, 50), 0.9)
    heard = drum_posteriors(0, beats | {500: 0.35}, frames=1000)
    alone = notes_from_drums(heard, DecodeOptions())
    repeated = notes_from_drums(heard, DecodeOptions(drum_repetition=3.0))
    assert 5.0 not in {round(hit.onset_s, 2) for hit in alone}
    assert 5.0 in {round(hit.onset_s, 2) for hit in repeated}


def test_each_group_of_drums_has_its_own_threshold() -> None:
    options = DecodeOptions(drum_thresholds=(0.5, 0.9, 0.5, 0.5, 0.5))
    assert len(notes_from_drums(drum_posteriors(0, {50: 0.8}), options)) == 1
    assert len(notes_from_drums(drum_posteriors(1, {50: 0.8}), options)) == 0


def test_fast_hits_of_one_drum_do_not_overlap() -> None:
    heard = drum_posteriors(0, {50: 0.9, 54: 0.9})
    first, second = notes_from_drums(heard, DecodeOptions())
    assert first.offset_s <= second.onset_s


@pytest.mark.parametrize("kind", list(StemKind))
def test_every_kind_has_options(kind: StemKind) -> None:
    assert len(decode_options_for(kind).drum_thresholds) == len(DRUM_GROUPS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"onset_threshold": 0.0},
        {"frame_threshold": 1.0},
        {"min_note_s": -0.1},
        {"drum_thresholds": (0.5,)},
        {"drum_repetition": -1.0},
        {"min_confidence": 1.1},
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must|needed"):
        DecodeOptions(**wrong)


def test_posteriors_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        PitchPosteriors(np.zeros((3, 88)), np.zeros((4, 88)), np.zeros((3, 88)), FPS, 21)
