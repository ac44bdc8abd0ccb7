"""Parts of clips that a performer sings or blows, on a voice of their own or on recorded notes."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.training.composer import Composition, one_voice_of
from core.training.doubling import beside
from core.training.families import FAMILY_NAMED, Family
from core.training.harmonica_phrases import play_diatonic
from core.training.part import PlayedNote
from core.training.performance import perform
from core.training.performer import PerformerKind, random_performer
from core.training.played_part import PlayedPart
from core.training.recorded_voice import RecordedVoice
from core.training.song import Song

KINDS: tuple[PerformerKind, ...] = ("singer", "reed", "harmonica", "flute", "brass", "bow")
KIND_SHARES = (0.38, 0.22, 0.18, 0.07, 0.08, 0.07)
FAMILIES_OF_KIND: Mapping[PerformerKind, tuple[str, ...]] = {
    "singer": ("choir", "choir", "choir", "reed"),
    "reed": ("reed",),
    "harmonica": ("harmonica", "harmonica", "reed"),
    "flute": ("pipe", "pipe", "reed"),
    "brass": ("brass",),
    "bow": ("strings",),
}
DIATONIC_SHARE = 0.7  # of harmonicas; the others play what other winds do
DOUBLE_STOPPING_SHARE = 0.3
DOUBLE_STOPS: Mapping[PerformerKind, tuple[int, ...]] = {  # semitones over the first note
    "bow": (3, 4, 7, 8, 9, 12),
}
PROGRAM_OF_KIND: Mapping[PerformerKind, int] = {
    "singer": 53,
    "reed": 66,
    "harmonica": 22,
    "flute": 73,
    "brass": 56,
    "bow": 40,
}
RECORDED_PROGRAMS: Mapping[PerformerKind, range] = {  # whose recordings they may play on
    "singer": range(52, 55),
    "reed": range(64, 72),
    "harmonica": range(21, 24),
    "flute": range(72, 80),
    "brass": range(56, 64),
    "bow": range(40, 44),
}
RECORDED_SHARE = 0.5  # where there are any


def drawn_kind(rng: np.random.Generator) -> PerformerKind:
    """Draw who performs, by KIND_SHARES."""
    return KINDS[int(rng.choice(len(KINDS), p=KIND_SHARES))]


def drawn_family(rng: np.random.Generator, kind: PerformerKind) -> Family:
    """Draw a family of instruments whose parts a kind of performer plays."""
    return FAMILY_NAMED[str(rng.choice(FAMILIES_OF_KIND[kind]))]


def performed(
    rng: np.random.Generator,
    kind: PerformerKind,
    family: Family,
    composition: Composition,
    duration_s: float,
    voices: Sequence[RecordedVoice],
) -> PlayedPart | None:
    """Perform one voice of a composition; None where it has no notes."""
    notes = one_voice_of(composition.part.notes, duration_s)
    if not notes:
        return None
    performer, voice = random_performer(rng, kind), _drawn_voice(rng, kind, voices)
    performance = perform(rng, notes, performer, duration_s=duration_s, voice=voice)
    sound, heard = performance.samples, performance.notes
    if kind in DOUBLE_STOPS and rng.random() < DOUBLE_STOPPING_SHARE:
        seconds = beside(rng, notes, DOUBLE_STOPS[kind], family)
        second = perform(rng, seconds, performer, duration_s=duration_s, voice=voice)
        sound, heard = sound + second.samples, sorted(heard + second.notes)
    player = f"performer-{kind}" if voice is None else f"recorded-performer-{kind}"
    recipe = f"{player}/{family.name}/{composition.style}"
    return PlayedPart(sound, _named(heard, kind), recipe)


def diatonic_harmonica(
    rng: np.random.Generator, song: Song, duration_s: float
) -> PlayedPart | None:
    """Let a diatonic harmonica play along with a song; None where it finds nothing to play."""
    playing = play_diatonic(rng, song, duration_s=duration_s)
    if not playing.performance.notes:
        return None
    style = "chords" if playing.has_chords else "diatonic"
    notes = _named(playing.performance.notes, "harmonica")
    return PlayedPart(playing.performance.samples, notes, f"performer-harmonica/harmonica/{style}")


def _drawn_voice(
    rng: np.random.Generator, kind: PerformerKind, voices: Sequence[RecordedVoice]
) -> RecordedVoice | None:
    """Draw the recordings a performer plays on; None for a voice of their own."""
    able = [voice for voice in voices if voice.program in RECORDED_PROGRAMS[kind]]
    if not able or rng.random() >= RECORDED_SHARE:
        return None
    return able[int(rng.integers(len(able)))]


def _named(notes: list[PlayedNote], kind: PerformerKind) -> list[PlayedNote]:
    """Return the notes with the program that plays them."""
    return [note._replace(program=PROGRAM_OF_KIND[kind]) for note in notes]
