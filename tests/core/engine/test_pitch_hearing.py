"""Candidates of a whole source: streamed in segments that nobody can tell."""

import numpy as np
import pytest

from core.audio.clip import AudioClip
from core.audio.source import clip_source
from core.codec.bends import Bends, with_bends
from core.engine import pitch_hearing
from core.engine.pitch_hearing import candidates_in
from tests import make
from tests.make_sound import RATE_HZ, seconds, tone


def source_of(sound: np.ndarray) -> pitch_hearing.AudioSource:
    return clip_source(AudioClip(sound[:, None], RATE_HZ))


def test_borders_of_segments_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = tone(60 + seconds(3.0), 3.0)
    whole = candidates_in(source_of(sound))
    monkeypatch.setattr(pitch_hearing, "SEGMENT_FRAMES", 16)
    in_pieces = candidates_in(source_of(sound))
    assert whole.pitch.shape[0] == pytest.approx(3 * whole.frames_per_s, abs=1.5)
    assert np.array_equal(whole.strength > 0, in_pieces.strength > 0)
    assert np.allclose(whole.strength, in_pieces.strength, atol=2e-3)
    is_offered = whole.strength > 0.5
    assert np.allclose(whole.pitch[is_offered], in_pieces.pitch[is_offered], atol=1e-3)


def test_from_sound_to_bends_a_vibrato_is_kept_within_ten_cents() -> None:
    depth = 0.5 * np.sin(2 * np.pi * 6 * seconds(1.0))
    source = source_of(np.concatenate([tone(57.0, 1.0), tone(60.0, 1.0), tone(64 + depth, 1.0)]))
    notes = [make.note(57, 0, 0.99), make.note(60, 1, 1.99), make.note(64, 2, 2.99)]
    *steady, vibrating = with_bends(notes, candidates_in(source), Bends.CONTINUOUS)
    assert [note.bends for note in steady] == [(), ()]
    at_s = np.arange(2.03, 2.96, 0.005)
    starts = [bend.at_s for bend in vibrating.bends]
    levels = np.array([bend.semitones for bend in vibrating.bends])
    heard = levels[np.searchsorted(starts, at_s, side="right") - 1]
    assert np.abs(heard - depth[np.rint((at_s - 2) * RATE_HZ).astype(int)]).max() < 0.1


def test_what_the_caller_raises_ends_the_listening() -> None:
    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        candidates_in(source_of(tone(60.0, 1.0)), on_seconds_done=stop)
