"""What the sound tells of notes that their model does not say: octaves of basses, loudness."""

from collections.abc import Sequence

from core.audio.source import AudioSource
from core.codec.bass_octave import with_bass_octaves
from core.codec.velocity import with_fixed_velocity, with_velocities
from core.score.instruments import StemKind
from core.score.note import NoteEvent

SAMPLE_RATE_HZ = 16_000

Notes = tuple[NoteEvent, ...]


def with_bass_heard(notes: Sequence[NoteEvent], source: AudioSource) -> Notes:
    """Return the notes with basses in the octave in which they sound."""
    return with_bass_octaves(notes, source.blocks(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)


def with_loudness_heard(notes: Sequence[NoteEvent], source: AudioSource, kind: StemKind) -> Notes:
    """Return the notes with velocities from the sound; in a mix those of drums only.

    What sounds beside a note there says more than the note: pitched ones get one velocity.
    """
    heard = with_velocities(notes, source.blocks(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    if kind is not StemKind.MIX:
        return heard
    level = with_fixed_velocity(heard)
    return tuple(note if note.is_drum else flat for note, flat in zip(heard, level, strict=True))
