"""All that is done to a model's tokens before a musician sees notes, in one call.

Decode, bring basses to the octave that sounds, repair instruments, hear velocities. The sound is
read again for this: a spectrum or two per note, which takes less than a thousandth of its time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.codec.bass_octave import with_bass_octaves
from core.codec.onset_windows import Block
from core.codec.repair import ALL_RULES, Change, RepairRules, repaired
from core.codec.tokens_to_notes import DecodeLosses, SegmentTokens, notes_from_tokens
from core.codec.velocity import with_fixed_velocity, with_velocities
from core.codec.vocabulary import Vocabulary
from core.score.instruments import StemKind
from core.score.note import NoteEvent


@dataclass(frozen=True, slots=True)
class Sound:
    """A file to be heard again: `blocks()` gives its mono samples [sample] from the start."""

    blocks: Callable[[], Iterable[Block]]
    sample_rate: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class CleanUp:
    """What may be done to the notes besides decoding them."""

    rules: RepairRules = ALL_RULES
    has_bass_octaves: bool = True
    has_heard_velocities: bool = True  # otherwise all notes get one


@dataclass(frozen=True, slots=True)
class CleanNotes:
    """Notes in order of onset, what could not be decoded, and what the repair rules changed."""

    notes: tuple[NoteEvent, ...]
    losses: DecodeLosses
    changes: tuple[Change, ...]


def clean_notes(
    segments: Sequence[SegmentTokens],
    vocabulary: Vocabulary,
    *,
    kind: StemKind,
    sound: Sound,
    clean_up: CleanUp = CleanUp(),
) -> CleanNotes:
    """Return the notes of a stem; velocities are left alone where the model names them itself."""
    decoded = notes_from_tokens(segments, vocabulary, end_s=sound.duration_s)
    notes = decoded.notes
    if clean_up.has_bass_octaves and vocabulary.has_programs:
        notes = with_bass_octaves(notes, sound.blocks(), sound.sample_rate)
    mended = repaired(notes, kind, clean_up.rules)
    notes = mended.notes
    if vocabulary.velocity_bins == 1:
        if clean_up.has_heard_velocities:
            notes = with_velocities(notes, sound.blocks(), sound.sample_rate)
        else:
            notes = with_fixed_velocity(notes)
    return CleanNotes(notes, decoded.losses, mended.changes)
