"""Score weights on clips with ground truth: a folder of <name>.flac and <name>.json.

The ground truth lists notes [onset_s, offset_s, pitch, ...] and drums [onset_s, key], and says in
`annotated` which list is complete. Measures, as customary: On is note F1 within 50 ms and 50 cents;
Off also wants the end within 50 ms or 20 %; Ins is On counted inside each General MIDI family, if
the truth has several; Drm is F1 over five drum classes within 50 ms.
"""

import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mir_eval  # type: ignore[import-untyped]  # it ships no types
import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]  # it ships no types
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.codec.families import with_players
from core.codec.posteriors_to_notes import (
    DecodeOptions,
    DrumPosteriors,
    PitchPosteriors,
    decode_options_for,
    notes_from_drums,
    notes_from_pitch,
)
from core.engine.built_in import (
    SAMPLE_RATE_HZ,
    DrumListener,
    PitchListener,
    drum_gain,
    pitch_gain,
)
from core.engine.model_set import BUILT_IN
from core.engine.note_hearing import NoteWeights
from core.score.instruments import StemKind
from core.score.note import NoteEvent

KIND_OF_CLIP = {
    "piano": StemKind.KEYS,
    "mix": StemKind.MIX,
    "mix-drums": StemKind.MIX,
    "drums": StemKind.DRUMS,
    "guitar": StemKind.GUITAR,
    "bass": StemKind.BASS,
    "sax": StemKind.WINDS,
    "harmonica": StemKind.WINDS,
    "trumpet": StemKind.BRASS,
    "strings": StemKind.STRINGS,
    "vocals": StemKind.VOCALS,
}
DRUM_CLASSES = (
    frozenset({35, 36}),
    frozenset({37, 38, 39, 40}),
    frozenset({42, 44, 46}),
    frozenset({41, 43, 45, 47, 48, 50}),
    frozenset({49, 51, 52, 53, 55, 57, 59}),
)
TOLERANCE_S = 0.05
PROGRAMS_OF_A_FAMILY = 8
UNISON_S = 0.02  # the same key struck twice within this cannot be heard apart
MEAN_OF_KINDS = "mean of kinds"
LEVEL_BLOCK_SAMPLES = SAMPLE_RATE_HZ // 10

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """Mono samples [sample] with their truth; None where a list is not annotated.

    `side` [sample] is what stands apart from the middle of a stereo clip.
    """

    name: str
    kind: str
    samples: Samples
    notes: tuple[NoteEvent, ...] | None
    drum_hits: tuple[tuple[float, int], ...] | None  # onset in seconds, General MIDI key
    side: Samples | None = None

    @property
    def stem_kind(self) -> StemKind:
        return KIND_OF_CLIP.get(self.kind.split()[-1], StemKind.OTHER)

    @property
    def level_p95(self) -> float:
        """The 95th percentile of the 0.1 s peaks."""
        whole = len(self.samples) // LEVEL_BLOCK_SAMPLES * LEVEL_BLOCK_SAMPLES
        peaks = np.abs(self.samples[:whole].reshape(-1, LEVEL_BLOCK_SAMPLES)).max(1)
        return float(np.percentile(peaks, 95))


@dataclass(frozen=True, slots=True)
class ClipScore:
    """F1 per measure, 0..1; None where the clip has no truth for it."""

    name: str
    kind: str
    onset: float | None
    offset: float | None
    drums: float | None
    instruments: float | None = None


class MatchedHits(NamedTuple):
    """Onsets in seconds of one class of drums."""

    found_s: list[float]
    missed_s: list[float]
    extra_s: list[float]


def evaluate(clips: Iterable[LabelledClip], weights: Path) -> tuple[ClipScore, ...]:
    """Score the weights files of a folder on clips."""
    pitch = PitchListener(weights / BUILT_IN.pitch_weights.name, note_weights_in(weights))
    drums = DrumListener(weights / BUILT_IN.drum_weights.name)
    return tuple(score_clip(clip, pitch, drums) for clip in clips)


def note_weights_in(weights: Path) -> NoteWeights:
    """Return the files of a folder that tell who plays."""
    return NoteWeights(
        weights / BUILT_IN.family_weights.name, weights / BUILT_IN.unison_weights.name
    )


def read_clips(folder: Path) -> list[LabelledClip]:
    """Read all clips of a folder in name order."""
    clips = []
    for path in sorted(folder.glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        if "annotated" not in truth:
            continue
        stereo, rate_hz = soundfile.read(path.with_suffix(".flac"), always_2d=True)
        samples = _resampled(stereo.mean(1), rate_hz)
        is_stereo = stereo.shape[1] > 1
        side = _resampled((stereo[:, 0] - stereo[:, 1]) / 2, rate_hz) if is_stereo else None
        notes = drum_hits = None
        if "notes" in truth["annotated"]:
            notes = tuple(
                NoteEvent(onset_s, round(pitch), offset_s, program=_program_in(more))
                for onset_s, offset_s, pitch, *more in truth["notes"]
            )
        if "drums" in truth["annotated"] and truth["drums"]:
            drum_hits = tuple((float(onset_s), int(key)) for onset_s, key in truth["drums"])
        clips.append(LabelledClip(path.stem, truth["kind"], samples, notes, drum_hits, side))
    return clips


def score_clip(
    clip: LabelledClip,
    pitch: PitchListener,
    drums: DrumListener | None,
    kind: StemKind | None = None,
) -> ClipScore:
    """Transcribe one clip, as its kind unless told another, and compare.

    Without a drum listener only its notes are.
    """
    options = decode_options_for(kind or clip.stem_kind)
    onset = offset = hits = instruments = None
    if clip.notes is not None:
        heard = pitch_heard(clip, pitch)
        notes = notes_from_pitch(heard, options)
        onset = note_f1(clip.notes, notes, with_offsets=False)
        offset = note_f1(clip.notes, notes, with_offsets=True)
        instruments = instrument_f1(clip.notes, with_players(notes, heard))
    if clip.drum_hits is not None and drums is not None:
        hits = drum_f1(clip.drum_hits, hits_of(clip, drums, options))
    return ClipScore(clip.name, clip.kind, onset, offset, hits, instruments)


def pitch_heard(clip: LabelledClip, pitch: PitchListener) -> PitchPosteriors:
    """Return what the pitch network hears of a clip; of a mix in stereo, if it is."""
    gain = pitch_gain(clip.level_p95)
    block = clip.samples
    if clip.side is not None and clip.stem_kind is StemKind.MIX:
        block = np.stack([clip.samples, clip.side], 1)
    return pitch.posteriors([block], gain=gain, on_seconds_done=_ignore)


def drums_heard(clip: LabelledClip, drums: DrumListener) -> DrumPosteriors:
    """Return what the drum network hears of a clip."""
    gain = drum_gain(float(np.abs(clip.samples).max()))
    return drums.posteriors([clip.samples], gain=gain, on_seconds_done=_ignore)


def hits_of(
    clip: LabelledClip, drums: DrumListener, options: DecodeOptions
) -> list[tuple[float, int]]:
    """Return the drums of a clip: onsets in seconds, General MIDI keys."""
    hits = notes_from_drums(drums_heard(clip, drums), options)
    return [(note.onset_s, note.pitch) for note in hits]


def note_f1(truth: Sequence[NoteEvent], found: Sequence[NoteEvent], *, with_offsets: bool) -> float:
    """Return the F1 of matched notes, unisons merged on both sides."""
    truth, found = merge_unisons(truth), merge_unisons(found)
    if not truth or not found:
        return float(not truth and not found)
    matched = matched_notes(truth, found, with_offsets=with_offsets)
    return 2 * len(matched) / (len(truth) + len(found))


def instrument_f1(truth: Sequence[NoteEvent], found: Sequence[NoteEvent]) -> float | None:
    """Return the F1 of notes matched inside each General MIDI family; None if only one plays."""
    true_ones, ours = _by_family(truth), _by_family(found)
    if len(true_ones) < 2:
        return None
    matched = count = 0
    for family in {*true_ones, *ours}:
        these, those = true_ones.get(family, []), ours.get(family, [])
        matched += len(matched_notes(these, those, with_offsets=False))
        count += len(these) + len(those)
    return 2 * matched / count


def matched_notes(
    truth: Sequence[NoteEvent], found: Sequence[NoteEvent], *, with_offsets: bool
) -> list[tuple[int, int]]:
    """Return pairs of indices, as many as can be: of a true note, of one found in its place."""
    if not truth or not found:
        return []
    pairs: list[tuple[int, int]] = mir_eval.transcription.match_notes(
        *_intervals_and_pitches(truth),
        *_intervals_and_pitches(found),
        onset_tolerance=TOLERANCE_S,
        offset_ratio=0.2 if with_offsets else None,
        offset_min_tolerance=TOLERANCE_S,
    )
    return pairs


def drum_f1(truth: Sequence[tuple[float, int]], found: Sequence[tuple[float, int]]) -> float:
    """Return the F1 of matched hits, counts summed over the five classes."""
    classes = [matched_hits(truth, found, keys) for keys in DRUM_CLASSES]
    matched = sum(len(both.found_s) for both in classes)
    wrong = sum(len(both.missed_s) + len(both.extra_s) for both in classes)
    return 2 * matched / (2 * matched + wrong) if matched or wrong else 1.0


def matched_hits(
    truth: Sequence[tuple[float, int]], found: Sequence[tuple[float, int]], keys: Set[int]
) -> MatchedHits:
    """Match the hits of one class of drums."""
    true_s = sorted(at_s for at_s, key in truth if key in keys)
    ours_s = sorted(at_s for at_s, key in found if key in keys)
    pairs = []
    if true_s and ours_s:
        pairs = mir_eval.util.match_events(np.array(true_s), np.array(ours_s), TOLERANCE_S)
    true_ones, ours_ones = {true for true, _ in pairs}, {ours for _, ours in pairs}
    return MatchedHits(
        [at_s for number, at_s in enumerate(ours_s) if number in ours_ones],
        [at_s for number, at_s in enumerate(true_s) if number not in true_ones],
        [at_s for number, at_s in enumerate(ours_s) if number not in ours_ones],
    )


def merge_unisons(notes: Sequence[NoteEvent]) -> list[NoteEvent]:
    """Merge notes of one pitch that start within UNISON_S: first onset, last offset."""
    merged: dict[int, list[NoteEvent]] = {}
    for note in sorted(notes):
        same = merged.setdefault(note.pitch, [])
        if same and note.onset_s - same[-1].onset_s < UNISON_S:
            end_s = max(same[-1].offset_s, note.offset_s)
            same[-1] = NoteEvent(same[-1].onset_s, note.pitch, end_s)
        else:
            same.append(note)
    return sorted(note for same in merged.values() for note in same)


def _resampled(samples: npt.NDArray[np.float64], rate_hz: int) -> Samples:
    return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ), np.float32)


def _by_family(notes: Sequence[NoteEvent]) -> dict[int, list[NoteEvent]]:
    """Return the notes of each General MIDI family, unisons merged."""
    families: dict[int, list[NoteEvent]] = {}
    for note in notes:
        families.setdefault(note.program // PROGRAMS_OF_A_FAMILY, []).append(note)
    return {family: merge_unisons(its) for family, its in families.items()}


def _program_in(rest: Sequence[int | None]) -> int:
    """Return the program of a line of truth, which goes on with velocity and program or ends."""
    program = rest[1] if len(rest) > 1 else None
    return program or 0


def means_of_kinds(scores: Sequence[ClipScore]) -> dict[str, ClipScore]:
    """Return the mean score per kind, and under MEAN_OF_KINDS the mean of those."""
    kinds = sorted({score.kind for score in scores})
    means = {kind: _mean(kind, [score for score in scores if score.kind == kind]) for kind in kinds}
    overall = _mean(MEAN_OF_KINDS, list(means.values()))
    return {**means, overall.kind: overall}


def table_of(scores: Sequence[ClipScore]) -> str:
    """Return the means as a table of text, in per cent."""
    return table_of_means(list(means_of_kinds(scores).values()))


def table_of_means(means: Sequence[ClipScore]) -> str:
    """Return a row per mean, in per cent."""
    lines = [f"{'kind':16} {'On':>6} {'Off':>6} {'Ins':>6} {'Drm':>6}"]
    for mean in means:
        values = (mean.onset, mean.offset, mean.instruments, mean.drums)
        lines.append(f"{mean.kind:16} {' '.join(map(_percent, values))}")
    return "\n".join(lines)


def _intervals_and_pitches(
    notes: Sequence[NoteEvent],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    intervals = [(note.onset_s, max(note.offset_s, note.onset_s + 0.01)) for note in notes]
    pitches = np.array([note.pitch for note in notes], np.float64)
    return np.array(intervals, np.float64), 440 * 2 ** ((pitches - 69) / 12)


def _mean(name: str, scores: Sequence[ClipScore]) -> ClipScore:
    def mean(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    return ClipScore(
        name,
        name,
        mean([score.onset for score in scores]),
        mean([score.offset for score in scores]),
        mean([score.drums for score in scores]),
        mean([score.instruments for score in scores]),
    )


def _percent(value: float | None) -> str:
    return f"{100 * value:6.1f}" if value is not None else f"{'-':>6}"


def _ignore(_seconds: float) -> None:
    pass
