"""Clips as files whose names say nothing: what they are told to be, and what nobody played in them.

They are heard as a file dropped into the window is: the sound tells what kind of stem it is, and
that decides how it is written. What a false kind would cost is counted as well: all as mixes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.codec.posteriors_to_notes import (
    DrumPosteriors,
    PitchPosteriors,
    decode_options_for,
    notes_from_drums,
    notes_from_pitch,
)
from core.engine.built_in import DrumListener, PitchListener
from core.engine.model_set import BUILT_IN
from core.engine.stem_listening import kind_from_posteriors
from core.score.instruments import StemKind
from core.training.evaluate import LabelledClip, drums_heard, note_weights_in, pitch_heard


@dataclass(frozen=True, slots=True)
class Written:
    """How many pitched notes and drum hits are written."""

    notes: int
    hits: int


@dataclass(frozen=True, slots=True)
class UnnamedClip:
    """What becomes of one clip: as the kind it is told to be, and if it were taken for a mix."""

    name: str
    kind: StemKind
    told: StemKind
    as_told: Written
    as_mix: Written


def hear_unnamed(clips: Iterable[LabelledClip], weights: Path) -> list[UnnamedClip]:
    """Hear clips with the weights files of a folder, without being told what they are."""
    pitch = PitchListener(weights / BUILT_IN.pitch_weights.name, note_weights_in(weights))
    drums = DrumListener(weights / BUILT_IN.drum_weights.name)
    heard = []
    for clip in clips:
        notes, hits = pitch_heard(clip, pitch), drums_heard(clip, drums)
        told = kind_from_posteriors(notes, hits)
        as_told, as_mix = written_as(told, notes, hits), written_as(StemKind.MIX, notes, hits)
        heard.append(UnnamedClip(clip.name, clip.stem_kind, told, as_told, as_mix))
    return heard


def written_as(kind: StemKind, notes: PitchPosteriors, hits: DrumPosteriors) -> Written:
    """Count what is written of a stem of a kind: drums have no pitched notes, others no hits."""
    options = decode_options_for(kind)
    return Written(
        0 if kind is StemKind.DRUMS else len(notes_from_pitch(notes, options)),
        len(notes_from_drums(hits, options)) if kind in (StemKind.DRUMS, StemKind.MIX) else 0,
    )


def unnamed_table(clips: Sequence[UnnamedClip]) -> str:
    """Return true kinds by told kinds, and the false notes and hits of stems."""
    kinds = [kind for kind in StemKind if any(kind in (clip.kind, clip.told) for clip in clips)]
    counts = Counter((clip.kind, clip.told) for clip in clips)
    lines = [f"{'is, told as':12}" + "".join(f"{kind:>9}" for kind in kinds)]
    for kind in kinds:
        told = [counts[kind, other] for other in kinds]
        if any(told):
            lines.append(f"{kind:12}" + "".join(f"{count or '-':>9}" for count in told))
    right = sum(clip.kind is clip.told for clip in clips)
    lines.append(f"told right: {right} of {len(clips)}")
    stems = [clip for clip in clips if clip.kind is not StemKind.MIX]
    drums = [clip for clip in stems if clip.kind is StemKind.DRUMS]
    pitched = [clip for clip in stems if clip.kind is not StemKind.DRUMS]
    lines.append(
        f"pitched notes written on {len(drums)} drum stems: "
        f"{sum(clip.as_told.notes for clip in drums)}; "
        f"if taken for mixes {sum(clip.as_mix.notes for clip in drums)}"
    )
    lines.append(
        f"drum hits written on {len(pitched)} pitched stems: "
        f"{sum(clip.as_told.hits for clip in pitched)}; "
        f"if taken for mixes {sum(clip.as_mix.hits for clip in pitched)}"
    )
    wrong = [f"{clip.name} ({clip.told})" for clip in clips if clip.kind is not clip.told]
    return "\n".join([*lines, *(["told wrong: " + ", ".join(wrong)] if wrong else [])])
