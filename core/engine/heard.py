"""HeardStem: what the model heard in one file, kept so that notes can be named again without it.

No torch here: the window decodes again from kept posteriors in its own process.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from core.codec.bends import Bends, with_bends
from core.codec.contours import PitchCandidates
from core.codec.families import with_players
from core.codec.posteriors_to_notes import (
    DecodeOptions,
    DrumPosteriors,
    PitchPosteriors,
    decode_options_for,
    notes_from_drums,
    notes_from_pitch,
)
from core.codec.repair import ALL_RULES, RepairRules, repaired
from core.codec.tokens_to_notes import DecodeLosses, SegmentTokens
from core.score.instruments import StemKind, program_name, program_of, track_name_of
from core.score.note import NoteEvent
from core.score.transcription import Source, Track

DRUM_TRACK_NAME = track_name_of(StemKind.DRUMS)
FEWEST_HITS_PER_S = 0.25  # fewer in a mix are consonants and plucks mistaken for drums


@dataclass(frozen=True, slots=True)
class HeardTokens:
    """What a model wrote as tokens for one file.

    `segments` are its own words; `notes` are all the notes in them, each as sure as the model was,
    with what the sound told of loudness and octave. `losses` counts what made no sense. `names` are
    those of instruments, by program, where General MIDI's would say too much. `rules` are those
    that suit the model.
    """

    segments: tuple[SegmentTokens, ...]
    notes: tuple[NoteEvent, ...]
    losses: DecodeLosses
    names: Mapping[int, str] = field(default_factory=dict)
    rules: RepairRules = ALL_RULES


@dataclass(frozen=True, slots=True)
class Posteriors:
    """What the networks said about one file; None where a network was not asked.

    `candidates` are the pitches that the sound may have had, where it was asked for bends.
    """

    pitch: PitchPosteriors | None = None
    drums: DrumPosteriors | None = None
    tokens: HeardTokens | None = None
    candidates: PitchCandidates | None = None


@dataclass(frozen=True, slots=True)
class HeardStem:
    """One file's notes, how its kind and device were chosen, and what the run took."""

    path: Path
    source: Source
    tracks: tuple[Track, ...]
    kind_found_by: str
    model_reason: str
    device_reason: str
    elapsed_s: float
    posteriors: Posteriors

    @property
    def note_count(self) -> int:
        return sum(len(track.notes) for track in self.tracks)

    @property
    def times_real_time(self) -> float:
        return self.source.duration_s / self.elapsed_s if self.elapsed_s > 0 else 0.0


def tracks_from(
    posteriors: Posteriors,
    kind: StemKind,
    options: DecodeOptions | None = None,
    *,
    rules: RepairRules = ALL_RULES,
    bends: Bends = Bends.OFF,
) -> tuple[Track, ...]:
    """Name the notes: drums first, then pitched notes; a track without notes is left out.

    `options` None takes what suits the kind of stem. `rules` repair what a token model wrote.
    """
    options = options or decode_options_for(kind)
    if posteriors.tokens is not None:
        tracks = _tracks_of_tokens(posteriors.tokens, kind, options, rules)
    else:
        tracks = _tracks_of_posteriors(posteriors, kind, options)
    return _bent(tracks, posteriors.candidates, bends)


def _bent(
    tracks: Sequence[Track], candidates: PitchCandidates | None, bends: Bends
) -> tuple[Track, ...]:
    """Bend the notes; those of all tracks together tell which sound alone."""
    if candidates is None or bends is Bends.OFF:
        return tuple(tracks)
    bent = iter(with_bends([note for track in tracks for note in track.notes], candidates, bends))
    return tuple(replace(track, notes=tuple(islice(bent, len(track.notes)))) for track in tracks)


def _tracks_of_posteriors(
    posteriors: Posteriors, kind: StemKind, options: DecodeOptions
) -> tuple[Track, ...]:
    tracks = []
    if posteriors.drums is not None:
        hits = notes_from_drums(posteriors.drums, options)
        heard_s = len(posteriors.drums.onset) / posteriors.drums.frames_per_s
        if kind is StemKind.DRUMS or len(hits) >= FEWEST_HITS_PER_S * heard_s:
            tracks.append(Track(DRUM_TRACK_NAME, hits, is_drum=True))
    if posteriors.pitch is not None:
        program = program_of(kind)
        notes = notes_from_pitch(posteriors.pitch, options, program=program)
        if kind is StemKind.MIX and posteriors.pitch.family is not None:
            tracks += tracks_of_notes(with_players(notes, posteriors.pitch), kind)
        else:
            tracks.append(Track(track_name_of(kind), notes, program=program))
    return tuple(track for track in tracks if track.notes)


def _tracks_of_tokens(
    tokens: HeardTokens, kind: StemKind, options: DecodeOptions, rules: RepairRules
) -> tuple[Track, ...]:
    heard = [note for note in tokens.notes if _is_kept(note, options)]
    notes = repaired(heard, kind, rules.common_with(tokens.rules)).notes
    return tracks_of_notes(notes, kind, tokens.names)


def _is_kept(note: NoteEvent, options: DecodeOptions) -> bool:
    is_sure = note.confidence is None or note.confidence >= options.min_confidence
    return is_sure and (note.is_drum or note.duration_s >= options.min_note_s)


def tracks_of_notes(
    notes: Iterable[NoteEvent], kind: StemKind, names: Mapping[int, str] = MappingProxyType({})
) -> tuple[Track, ...]:
    """Return a track per instrument, drums first, then by program.

    The only pitched instrument of a stem bears the name of its kind, several those in `names`, by
    program, or of General MIDI.
    """
    by_program: dict[tuple[bool, int], list[NoteEvent]] = {}
    for note in notes:
        by_program.setdefault((not note.is_drum, note.program), []).append(note)
    pitched = [program for is_pitched, program in by_program if is_pitched]
    has_one_name = len(pitched) == 1 and kind not in (StemKind.MIX, StemKind.OTHER)
    tracks = []
    for (is_pitched, program), played in sorted(by_program.items(), key=lambda entry: entry[0]):
        own_name = names.get(program) or _short_name(program, pitched)
        name = track_name_of(kind) if has_one_name else own_name
        tracks.append(
            Track(name, tuple(played), program)
            if is_pitched
            else Track(DRUM_TRACK_NAME, tuple(played), program, is_drum=True)
        )
    return tuple(tracks)


def _short_name(program: int, among: Sequence[int]) -> str:
    """Return the instrument without its playing style, unless that tells it from another one."""
    name = program_name(program).split(" (")[0]
    namesakes = [other for other in among if program_name(other).split(" (")[0] == name]
    return name if len(namesakes) == 1 else program_name(program)
