"""Score weights on clips with ground truth: a folder of <name>.flac and <name>.json.

The ground truth lists notes [onset_s, offset_s, pitch, ...] and drums [onset_s, key], and says in
`annotated` which list is complete. Measures, as customary: On is note F1 within 50 ms and 50 cents;
Off also wants the end within 50 ms or 20 %; Drm is F1 over five drum classes within 50 ms.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mir_eval  # type: ignore[import-untyped]  # it ships no types
import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]  # it ships no types
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.codec.posteriors_to_notes import (
    DecodeOptions,
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
UNISON_S = 0.02  # the same key struck twice within this cannot be heard apart
MEAN_OF_KINDS = "mean of kinds"
LEVEL_BLOCK_SAMPLES = SAMPLE_RATE_HZ // 10

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """Mono samples [sample] with their truth; None where a list is not annotated."""

    name: str
    kind: str
    samples: Samples
    notes: tuple[NoteEvent, ...] | None
    drum_hits: tuple[tuple[float, int], ...] | None  # onset in seconds, General MIDI key

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


def evaluate(clips: Iterable[LabelledClip], weights: Path) -> tuple[ClipScore, ...]:
    """Score the weights files of a folder on clips."""
    pitch = PitchListener(weights / "pitch_v2.safetensors")
    drums = DrumListener(weights / "drums_v1.safetensors")
    return tuple(score_clip(clip, pitch, drums) for clip in clips)


def read_clips(folder: Path) -> list[LabelledClip]:
    """Read all clips of a folder in name order."""
    clips = []
    for path in sorted(folder.glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        if "annotated" not in truth:
            continue
        stereo, rate_hz = soundfile.read(path.with_suffix(".flac"), always_2d=True)
        samples = soxr.resample(stereo.mean(1), rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
        notes = drum_hits = None
        if "notes" in truth["annotated"]:
            notes = tuple(
                NoteEvent(onset_s=onset_s, pitch=round(pitch), offset_s=offset_s)
                for onset_s, offset_s, pitch, *_ in truth["notes"]
            )
        if "drums" in truth["annotated"] and truth["drums"]:
            drum_hits = tuple((float(onset_s), int(key)) for onset_s, key in truth["drums"])
        clips.append(LabelledClip(path.stem, truth["kind"], samples, notes, drum_hits))
    return clips


def score_clip(clip: LabelledClip, pitch: PitchListener, drums: DrumListener | None) -> ClipScore:
    """Transcribe one clip as its kind and compare; without a drum listener, its notes only."""
    options = decode_options_for(clip.stem_kind)
    onset = offset = hits = None
    if clip.notes is not None:
        gain = pitch_gain(clip.level_p95)
        heard = pitch.posteriors([clip.samples], gain=gain, on_seconds_done=_ignore)
        notes = notes_from_pitch(heard, options)
        onset = note_f1(clip.notes, notes, with_offsets=False)
        offset = note_f1(clip.notes, notes, with_offsets=True)
    if clip.drum_hits is not None and drums is not None:
        hits = drum_f1(clip.drum_hits, _drum_hits(clip, drums, options))
    return ClipScore(clip.name, clip.kind, onset, offset, hits)


def note_f1(truth: Sequence[NoteEvent], found: Sequence[NoteEvent], *, with_offsets: bool) -> float:
    """Return the F1 of matched notes, unisons merged on both sides."""
    truth, found = merge_unisons(truth), merge_unisons(found)
    if not truth or not found:
        return float(not truth and not found)
    matched = mir_eval.transcription.match_notes(
        *_intervals_and_pitches(truth),
        *_intervals_and_pitches(found),
        onset_tolerance=TOLERANCE_S,
        offset_ratio=0.2 if with_offsets else None,
        offset_min_tolerance=TOLERANCE_S,
    )
    return 2 * len(matched) / (len(truth) + len(found))


def drum_f1(truth: Sequence[tuple[float, int]], found: Sequence[tuple[float, int]]) -> float:
    """Return the F1 of matched hits, counts summed over the five classes."""
    matched = total = 0
    for keys in DRUM_CLASSES:
        true_s = np.array(sorted(at_s for at_s, key in truth if key in keys))
        found_s = np.array(sorted(at_s for at_s, key in found if key in keys))
        total += len(true_s) + len(found_s)
        if len(true_s) and len(found_s):
            matched += len(mir_eval.util.match_events(true_s, found_s, TOLERANCE_S))
    return 2 * matched / total if total else 1.0


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
    lines = [f"{'kind':16} {'On':>6} {'Off':>6} {'Drm':>6}"]
    for mean in means:
        cells = " ".join(_percent(value) for value in (mean.onset, mean.offset, mean.drums))
        lines.append(f"{mean.kind:16} {cells}")
    return "\n".join(lines)


def _drum_hits(
    clip: LabelledClip, drums: DrumListener, options: DecodeOptions
) -> list[tuple[float, int]]:
    gain = drum_gain(float(np.abs(clip.samples).max()))
    heard = drums.posteriors([clip.samples], gain=gain, on_seconds_done=_ignore)
    return [(note.onset_s, note.pitch) for note in notes_from_drums(heard, options)]


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
    )


def _percent(value: float | None) -> str:
    return f"{100 * value:6.1f}" if value is not None else f"{'-':>6}"


def _ignore(_seconds: float) -> None:
    pass
