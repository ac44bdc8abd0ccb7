"""Players of mixes are kept one by one."""

from pathlib import Path

import numpy as np
import pytest

from core.training.part import PlayedNote
from core.training.pitched_clips import CLIP_S
from core.training.played_part import PlayedPart
from core.training.soundfonts import SAMPLE_RATE_HZ
from core.training.stem_shards import read_stem_shard, write_stem_shard

LENGTH = int(CLIP_S * SAMPLE_RATE_HZ)


def player(pitch: int, *, apart: float = 0.1, length: int = LENGTH) -> PlayedPart:
    """Somebody who holds a key; `apart` of the sound is heard at the sides."""
    hz = 440 * 2 ** ((pitch - 69) / 12)
    sound = np.sin(2 * np.pi * hz * np.arange(length) / SAMPLE_RATE_HZ)
    return PlayedPart(sound, [PlayedNote(0.5, 2.5, pitch, 90, 73)], "pipe", apart * sound)


def test_players_come_back_with_their_mix(tmp_path: Path) -> None:
    path = tmp_path / "stems.npz"
    write_stem_shard(path, [[player(60), player(64)], [player(67), player(72), player(76)]])
    mixes = read_stem_shard(path)
    assert [[stem.notes[0].pitch for stem in mix] for mix in mixes] == [[60, 64], [67, 72, 76]]
    assert mixes[0][0].notes == (PlayedNote(0.5, 2.5, 60, 90, 73),)


def test_the_side_is_as_much_softer_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "stems.npz"
    write_stem_shard(path, [[player(60), player(60, apart=0.01)]])
    (wide, narrow), *_ = read_stem_shard(path)
    loudest = wide.middle.max()
    assert wide.middle.shape == wide.side.shape
    assert loudest - wide.side.max() == pytest.approx(50, abs=2)  # 20 dB are half a level
    assert loudest - narrow.side.max() == pytest.approx(100, abs=3)


def test_a_drummer_has_no_notes_and_a_short_sound_ends_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "stems.npz"
    drums = PlayedPart(np.ones(1000), [], "drums", np.zeros(1000))
    write_stem_shard(path, [[player(60), drums]])
    ((_, kept), *_) = read_stem_shard(path)
    assert kept.notes == ()
    assert kept.middle[:, -1].max() < 5


def test_who_was_not_heard_in_a_room_is_refused(tmp_path: Path) -> None:
    dry = PlayedPart(np.ones(1000), [], "pipe")
    with pytest.raises(ValueError, match="pipe"):
        write_stem_shard(tmp_path / "stems.npz", [[dry]])
    assert not list(tmp_path.glob("stems.npz"))
