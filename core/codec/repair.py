"""What a model got wrong about instruments, put right by rules that can each be switched off.

Plain MT3 makes several tracks of one instrument, and hears a voice or a saxophone as something
else. What kind of stem it is tells how many instruments there can be; the rest is how instruments
behave: they do not change for a single note, and no key sounds twice at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from statistics import median

import numpy as np

from core.score.instruments import PROGRAMS_PER_FAMILY, StemKind, program_of
from core.score.note import HIGHEST_PITCH, NoteEvent

SAME_ONSET_S = 0.05  # the same key struck twice within this is one note
FRAGMENT_GAP_S = 0.01  # pieces of one note lie no further apart
SPECK_S = 0.08  # a note shorter than this that the model doubts is none
SPECK_CONFIDENCE = 0.5
HIT_CONFIDENCE = 0.3
EXCURSION_S = 4.0  # what plays this long before and after a note, near its pitch, is asked
EXCURSION_SEMITONES = 7
EXCURSION_SHARE = 0.1  # an instrument this much rarer than another in its place is a slip
RARE_SHARE = 0.02  # an instrument with fewer of a mix's notes than this is a slip

SEVERAL_INSTRUMENTS = (StemKind.MIX, StemKind.OTHER)
SINGLE_VOICE = (StemKind.BASS,)
# Families whose members the model tells apart well enough to keep the one it heard most.
_NAMED_FAMILIES = {
    StemKind.KEYS: range(24),
    StemKind.GUITAR: range(24, 32),
    StemKind.STRINGS: range(40, 52),
    StemKind.BRASS: range(56, 64),
}

Notes = list[NoteEvent]
"""In order of onset."""


@dataclass(frozen=True, slots=True)
class RepairRules:
    """Which rules apply; each says what it does to the notes of a stem of a known kind."""

    drop_foreign: bool = True
    """Drums leave pitched stems, pitched notes leave drum stems."""

    one_instrument: bool = True
    """All pitched notes of a stem go to one program; a mix has as many as it has."""

    steady_instruments: bool = True
    """In a mix, short excursions go to the program that plays there, rare ones to a near one."""

    join_doubles: bool = True
    """A key struck twice at once, as by two programs that became one, is one note."""

    single_voice: bool = True
    """In a bass stem one note sounds at a time; of several the lowest, ghosts being octaves up."""

    merge_fragments: bool = True
    """In a vocal stem notes of one pitch that touch become one; other instruments repeat notes."""

    drop_specks: bool = True
    """Very short notes that the model doubts leave."""

    drop_doubtful_hits: bool = True
    """Drum hits that the model hardly believes leave."""

    trim_overlaps: bool = True
    """A note ends where its key is struck again."""

    def common_with(self, other: "RepairRules") -> "RepairRules":
        """Return the rules that are on in both."""
        both = {r.name: getattr(self, r.name) and getattr(other, r.name) for r in fields(self)}
        return RepairRules(**both)


ALL_RULES = RepairRules()
NO_RULES = RepairRules(**{rule.name: False for rule in fields(RepairRules)})


@dataclass(frozen=True, slots=True)
class Change:
    """How many notes a rule took away or made different."""

    rule: str
    notes: int


@dataclass(frozen=True, slots=True)
class Repaired:
    """Notes in order of onset, and what the rules that did anything did to them."""

    notes: tuple[NoteEvent, ...]
    changes: tuple[Change, ...]


def repaired(
    notes: Iterable[NoteEvent], kind: StemKind, rules: RepairRules = ALL_RULES
) -> Repaired:
    """Apply the rules that are on to the notes of one stem, in the order of RepairRules."""
    current = sorted(notes)
    changes = []
    for rule in fields(rules):
        if getattr(rules, rule.name):
            before, current = current, _REPAIRS[rule.name](current, kind)
            changes.append(Change(rule.name, _changed(before, current)))
    return Repaired(tuple(current), tuple(change for change in changes if change.notes))


def _changed(before: Notes, after: Notes) -> int:
    """Count the notes that are gone or different; most are the same objects, which is quick."""
    if before == after:
        return 0
    same = {id(note) for note in before} & {id(note) for note in after}
    gone = {note for note in before if id(note) not in same}
    return len(gone - {note for note in after if id(note) not in same})


def _drop_foreign(notes: Notes, kind: StemKind) -> Notes:
    if kind is StemKind.MIX:
        return notes
    return [note for note in notes if note.is_drum == (kind is StemKind.DRUMS)]


def _one_instrument(notes: Notes, kind: StemKind) -> Notes:
    if kind in SEVERAL_INSTRUMENTS or kind is StemKind.DRUMS:
        return notes
    family = _NAMED_FAMILIES.get(kind, range(0))
    heard = Counter(note.program for note in notes if note.program in family and not note.is_drum)
    program = heard.most_common(1)[0][0] if heard else program_of(kind)
    return [
        note if note.is_drum or note.program == program else note.with_program(program)
        for note in notes
    ]


def _steady_instruments(notes: Notes, kind: StemKind) -> Notes:
    if kind not in SEVERAL_INSTRUMENTS:
        return notes
    pitched = _rare_reassigned(_excursions_reassigned([n for n in notes if not n.is_drum]))
    return sorted([*pitched, *(note for note in notes if note.is_drum)])


def _excursions_reassigned(notes: Notes) -> Notes:
    programs = sorted({note.program for note in notes})
    if len(programs) < 2:
        return notes
    place_of = {program: place for place, program in enumerate(programs)}
    # Of the notes played around the one looked at: how many near each pitch by each program.
    playing = np.zeros((HIGHEST_PITCH + 1 + EXCURSION_SEMITONES, len(programs)), np.int32)
    entered, left, steady = 0, 0, []
    for note in notes:
        while entered < len(notes) and notes[entered].onset_s < note.onset_s + EXCURSION_S:
            playing[_near(notes[entered].pitch), place_of[notes[entered].program]] += 1
            entered += 1
        while notes[left].onset_s < note.onset_s - EXCURSION_S:
            playing[_near(notes[left].pitch), place_of[notes[left].program]] -= 1
            left += 1
        counts = playing[note.pitch]
        most = int(counts.argmax())
        is_slip = counts[place_of[note.program]] <= EXCURSION_SHARE * counts[most]
        steady.append(note.with_program(programs[most]) if is_slip else note)
    return steady


def _near(pitch: int) -> slice:
    return slice(max(0, pitch - EXCURSION_SEMITONES), pitch + EXCURSION_SEMITONES + 1)


def _rare_reassigned(notes: Notes) -> Notes:
    counts = Counter(note.program for note in notes)
    common = [program for program in counts if counts[program] >= RARE_SHARE * len(notes)]
    middles = {
        program: median(note.pitch for note in notes if note.program == program)
        for program in common
    }

    def nearest(note: NoteEvent) -> int:
        def distance(program: int) -> tuple[bool, float]:
            return not _are_kin(program, note.program), abs(middles[program] - note.pitch)

        return min(common, key=distance)

    return [note if note.program in middles else note.with_program(nearest(note)) for note in notes]


def _join_doubles(notes: Notes, _: StemKind) -> Notes:
    joined: Notes = []
    last_of_key: dict[tuple[bool, int, int], int] = {}
    for note in notes:
        last = last_of_key.get(_key_of(note))
        if last is not None and note.onset_s - joined[last].onset_s < SAME_ONSET_S:
            surer = max(joined[last], note, key=_confidence_of)
            offset_s = max(joined[last].offset_s, note.offset_s)
            joined[last] = replace(surer, offset_s=offset_s)
        else:
            last_of_key[_key_of(note)] = len(joined)
            joined.append(note)
    return sorted(joined)


def _single_voice(notes: Notes, kind: StemKind) -> Notes:
    if kind not in SINGLE_VOICE:
        return notes
    voice: Notes = []
    for note in notes:
        if note.is_drum:
            continue
        if voice and note.onset_s - voice[-1].onset_s < SAME_ONSET_S:
            voice[-1] = min(voice[-1], note, key=_pitch_of)
        else:
            voice.append(note)
    ended = [_ended(note, following.onset_s) for note, following in pairwise(voice)]
    return sorted([*ended, *voice[-1:], *(note for note in notes if note.is_drum)])


def _merge_fragments(notes: Notes, kind: StemKind) -> Notes:
    if kind is not StemKind.VOCALS:
        return notes
    merged: Notes = []
    last_of_key: dict[tuple[bool, int, int], int] = {}
    for note in notes:
        last = last_of_key.get(_key_of(note))
        is_rest = last is not None and note.onset_s <= merged[last].offset_s + FRAGMENT_GAP_S
        if last is not None and is_rest and not note.is_drum:
            offset_s = max(merged[last].offset_s, note.offset_s)
            merged[last] = replace(merged[last], offset_s=offset_s)
        else:
            last_of_key[_key_of(note)] = len(merged)
            merged.append(note)
    return merged


def _drop_specks(notes: Notes, _: StemKind) -> Notes:
    return [
        note
        for note in notes
        if note.is_drum or note.duration_s >= SPECK_S or _confidence_of(note) >= SPECK_CONFIDENCE
    ]


def _drop_doubtful_hits(notes: Notes, _: StemKind) -> Notes:
    return [note for note in notes if not note.is_drum or _confidence_of(note) >= HIT_CONFIDENCE]


def _trim_overlaps(notes: Notes, _: StemKind) -> Notes:
    trimmed: Notes = []
    last_of_key: dict[tuple[bool, int, int], int] = {}
    for note in notes:
        last = last_of_key.get(_key_of(note))
        if last is not None and trimmed[last].onset_s == note.onset_s:
            trimmed[last] = note  # of two that begin together the longer comes later
            continue
        if last is not None:
            trimmed[last] = _ended(trimmed[last], note.onset_s)
        last_of_key[_key_of(note)] = len(trimmed)
        trimmed.append(note)
    return trimmed


_REPAIRS: dict[str, Callable[[Notes, StemKind], Notes]] = {
    "drop_foreign": _drop_foreign,
    "one_instrument": _one_instrument,
    "steady_instruments": _steady_instruments,
    "join_doubles": _join_doubles,
    "single_voice": _single_voice,
    "merge_fragments": _merge_fragments,
    "drop_specks": _drop_specks,
    "drop_doubtful_hits": _drop_doubtful_hits,
    "trim_overlaps": _trim_overlaps,
}


def _ended(note: NoteEvent, at_s: float) -> NoteEvent:
    return note if note.offset_s <= at_s else replace(note, offset_s=at_s)


def _key_of(note: NoteEvent) -> tuple[bool, int, int]:
    return note.is_drum, note.program, note.pitch


def _pitch_of(note: NoteEvent) -> int:
    return note.pitch


def _confidence_of(note: NoteEvent) -> float:
    return 1.0 if note.confidence is None else note.confidence


def _are_kin(program: int, other: int) -> bool:
    return program // PROGRAMS_PER_FAMILY == other // PROGRAMS_PER_FAMILY
