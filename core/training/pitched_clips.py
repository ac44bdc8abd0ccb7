"""Pitched clips with their labels: parts of soundfonts and own patches, alone and mixed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.training.arrangements import Arrangement, Excerpt, excerpt
from core.training.backing_drums import backing_drums
from core.training.composer import Composition, compose, one_player_of, one_voice_of
from core.training.doubling import in_unison, is_one_voice
from core.training.drum_synth import Kit, random_kit
from core.training.effects import compressed, produced, resonated, to_rms
from core.training.families import FAMILIES, FAMILY_NAMED, Family
from core.training.font_players import TunedFont
from core.training.handling import with_hammers, with_muted_strokes
from core.training.part import Part, PlayedNote
from core.training.performed_parts import (
    DIATONIC_SHARE,
    diatonic_harmonica,
    drawn_family,
    drawn_kind,
    performed,
)
from core.training.performer import PerformerKind
from core.training.played_part import PlayedPart, Sound, together
from core.training.recorded_voice import RecordedVoice
from core.training.rooms import random_room, spread
from core.training.sections import section
from core.training.song import Song, random_song
from core.training.soundfonts import SAMPLE_RATE_HZ, Samples
from core.training.synth import PatchKind, labelled, random_patch, render_part

CLIP_S = 12.0
LOWEST_PITCH, HIGHEST_PITCH = 21, 108
MIX_SHARE, DRUMS_IN_MIX_SHARE = 0.36, 0.45
MOST_PARTS = 6
SECTION_SHARE, MOST_BESIDE_SECTION = 0.25, 2  # of mixes; others who play along
PERFORMED_VOICE_SHARE, VOICE_DB = 0.25, 4.0  # of a section's players; how much softer each is
PERFORMER_OF_SECTION: Mapping[str, PerformerKind] = {
    "brass": "brass",
    "reed": "reed",
    "pipe": "flute",
    "strings": "bow",
    "choir": "singer",
}
UNISON_SHARE = 0.3  # of the later parts of a mix: doubles an earlier one
SOFTER_SHARE, MOST_SOFTER_DB = 0.6, 12.0  # of the parts that double another
OWN_NOTES_SHARE = 0.4  # of them: play something else with the other hand
BLEED_SHARE, BLEED_DB = 0.45, (-34.0, -11.0)  # of solo clips: what other players leak into the mic
BLEED_IN_MIX_SHARE, BLEED_IN_MIX_DB = 0.15, (-36.0, -20.0)
BLEEDING_DRUMS_SHARE = 0.35
BUS_COMPRESSION_SHARE = 0.35
DETUNED_SHARE, MOST_DETUNED_CENTS = 0.15, 45.0
RESONANCE_SHARE, HAMMER_SHARE = 0.6, 0.35  # of pedalled pianos, of pianos
EVENNESS = 0.55  # in mixes, families are drawn by this power of their shares
OWN_KITS = 10
MOST_RESIZED_STEPS = 5  # semitones by which an instrument seems larger or smaller
ARRANGED_PLAYERS_SHARE, DRUMS_DB = 0.55, (-12.0, 3.0)  # where players are drawn one by one
ARRANGED_SHARE = 0.5  # of mixes: songs that were written, where there are any
PERFORMED_ARRANGED_SHARE, OWN_ARRANGED_SHARE = 0.12, 0.06  # of their parts
DISTORTED_SHARE, DISTORTABLE = 0.15, ("guitar", "lead", "bass", "harmonica")
OWN_KINDS: tuple[PatchKind, ...] = ("pluck", "sustain", "wind", "voice")
OWN_KIND_SHARES = (0.5, 0.2, 0.12, 0.18)
TWO_HANDED = frozenset({"piano", "organ", "guitar", "chromperc"})
FAMILIES_OF_KIND: Mapping[PatchKind, tuple[str, ...]] = {
    "pluck": ("guitar", "guitar", "bass", "piano", "piano", "chromperc"),
    "sustain": ("lead", "organ", "strings", "bass", "brass"),
    "wind": ("reed", "reed", "pipe", "brass"),
    "voice": ("reed", "reed", "reed", "choir"),
}


@dataclass(frozen=True, slots=True)
class Ways:
    """How often a part is played by a performer and on a patch of our own; else on a SoundFont.

    `resized` of the latter sound as if the instrument were larger or smaller.
    """

    performers: float
    own_patches: float
    resized: float = 0.0  # of the parts on a SoundFont


ALL_WAYS, FONT_SOUNDS = Ways(0.3, 0.24, 0.4), Ways(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PitchedClip:
    """Mono samples [sample], the notes heard in them, and which instruments played what."""

    samples: Samples
    notes: tuple[PlayedNote, ...]
    recipe: str


@dataclass(frozen=True, slots=True)
class _Task:
    """What one player is to do: play a song, doubling the notes of another player if there are."""

    song: Song
    duration_s: float
    doubled: list[PlayedNote] | None


class PitchedClipMaker:
    """Draws clips; all randomness comes from `rng`."""

    def __init__(
        self,
        rng: np.random.Generator,
        fonts: tuple[TunedFont, ...],
        *,
        ways: Ways = ALL_WAYS,
        songs: Sequence[Arrangement] = (),
        voices: Sequence[RecordedVoice] = (),
        in_rooms: bool = False,
    ) -> None:
        """`songs` are played in some of the mixes, `voices` by some of the performers.

        `in_rooms` players are heard as they stand in a stereo mix, else as a channel has them.
        """
        self._rng = rng
        self._in_rooms = in_rooms
        self._songs = songs
        self._voices = voices
        self._ways = ways
        self._fonts = fonts
        family_shares = np.array([family.share for family in FAMILIES])
        self._family_shares = family_shares / family_shares.sum()
        evened = family_shares**EVENNESS
        self._mix_shares = evened / evened.sum()
        self._kits: list[Kit] = [random_kit(rng) for _ in range(OWN_KITS)]

    def clip(self) -> PitchedClip:
        """Draw one clip."""
        while True:
            clip = self._attempt()
            if clip is not None:
                return clip

    def song(self, duration_s: float) -> tuple[Samples, list[PlayedNote]] | None:
        """Draw a place of a song: those who play pitches [sample], and what the drummer plays.

        None where the drummer has nothing to do.
        """
        arrangement = self._songs[int(self._rng.integers(len(self._songs)))]
        written = excerpt(self._rng, arrangement, duration_s)
        if written is None or not written.drums:
            return None
        played = together(self._arranged(written, duration_s), duration_s)
        if played is None:
            return None
        sound = produced(self._rng, played.sound)
        length = int(duration_s * SAMPLE_RATE_HZ)
        padded = np.pad(sound, (0, max(0, length - len(sound))))[:length]
        return padded.astype(np.float32), written.drums

    def players(self) -> list[PlayedPart]:
        """Draw who plays a mix for CLIP_S, one by one, drums last; at least two."""
        rng = self._rng
        while True:
            song = random_song(rng, CLIP_S)
            written = self._written(CLIP_S, ARRANGED_PLAYERS_SHARE)
            if written is not None:
                played = self._arranged(written, CLIP_S)
            else:
                parts = int(rng.integers(3, MOST_PARTS))
                played = self._mixed(parts, song, CLIP_S, is_mix=True)
            if len(played) < 2:
                continue
            if rng.random() < DRUMS_IN_MIX_SHARE:
                drums = self._drums(CLIP_S, written.drums if written else ())
                if drums is not None:
                    part = PlayedPart(drums, [], "drums")
                    played.append(self._levelled(part, rng.uniform(*DRUMS_DB), is_mix=True))
            return played

    def _written(self, duration_s: float, share: float) -> Excerpt | None:
        """Draw a place of a song that somebody wrote, for this share of mixes."""
        if not self._songs or self._rng.random() >= share:
            return None
        arrangement = self._songs[int(self._rng.integers(len(self._songs)))]
        return excerpt(self._rng, arrangement, duration_s)

    def _attempt(self) -> PitchedClip | None:
        rng = self._rng
        is_mix = rng.random() < MIX_SHARE
        parts = int(rng.integers(2, MOST_PARTS + 1)) if is_mix else 1
        shift = 0 if rng.random() < 0.6 else int(rng.integers(-4, 5))
        cents = rng.normal(0, 12) if rng.random() < 0.6 else 0
        if rng.random() < DETUNED_SHARE:
            cents = rng.uniform(-MOST_DETUNED_CENTS, MOST_DETUNED_CENTS)
        speed = 2 ** ((shift + cents / 100) / 12)
        duration_s = CLIP_S * speed + 0.2
        song = random_song(rng, duration_s)
        written = self._written(duration_s, ARRANGED_SHARE) if is_mix else None
        if written is not None:
            played = self._arranged(written, duration_s)
        else:
            played = self._mixed(parts, song, duration_s, is_mix=is_mix)
        mixed = together(played, duration_s)
        if mixed is None:
            return None
        sound, recipe = mixed.sound, mixed.recipe
        if is_mix and rng.random() < DRUMS_IN_MIX_SHARE:
            drums = self._drums(duration_s, written.drums if written else ())
            if drums is not None:
                length = min(len(sound), len(drums))
                level = 10 ** (rng.uniform(-14, 3) / 20)
                sound = sound[:length] + to_rms(drums[:length]) * level
                recipe += "+drums"
        if is_mix and rng.random() < BUS_COMPRESSION_SHARE:
            sound = compressed(rng, sound)
        if rng.random() < (BLEED_IN_MIX_SHARE if is_mix else BLEED_SHARE):
            sound = self._bled(sound, song, duration_s, BLEED_IN_MIX_DB if is_mix else BLEED_DB)
        first = recipe.split("+")[0]
        is_distorted = (
            not is_mix
            and any(name in first for name in DISTORTABLE)
            and rng.random() < DISTORTED_SHARE
        )
        if speed != 1:
            # Up in pitch by playing faster: moves formants too, so no two speeds sound alike.
            sound = soxr.resample(sound, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ / speed)
        sound = produced(rng, sound, is_distorted=is_distorted)
        length = int(CLIP_S * SAMPLE_RATE_HZ)
        padded = np.pad(sound, (0, max(0, length - len(sound))))[:length]
        notes = _at_speed(mixed.notes, speed, shift)
        return PitchedClip(padded.astype(np.float32), notes, recipe)

    def _mixed(
        self, parts: int, song: Song, duration_s: float, *, is_mix: bool
    ) -> list[PlayedPart]:
        """Play parts of a song; those that made a sound."""
        rng = self._rng
        played: list[PlayedPart] = []
        if is_mix and rng.random() < SECTION_SHARE:
            played = self._section(song, duration_s)
            parts = int(rng.integers(0, MOST_BESIDE_SECTION + 1))
        for number in range(parts):
            doubled = None
            if played and rng.random() < UNISON_SHARE:
                doubled = played[int(rng.integers(len(played)))].notes
            task = _Task(song, duration_s, doubled)
            part = self._part(task, is_bass=is_mix and number == 0, is_mix=is_mix)
            if part is not None:
                level_db = rng.normal(0, 4) if is_mix else 0.0
                if is_mix and doubled is not None and rng.random() < SOFTER_SHARE:
                    level_db -= rng.uniform(0, MOST_SOFTER_DB)
                played.append(self._levelled(part, level_db, is_mix=is_mix))
        return played

    def _arranged(self, written: Excerpt, duration_s: float) -> list[PlayedPart]:
        """Play what was written for several; those who made a sound."""
        rng = self._rng
        played = []
        for cast in written.parts:
            composition = Composition(Part(cast.notes), "arranged")
            way, performer = rng.random(), PERFORMER_OF_SECTION.get(cast.family.name)
            if way < PERFORMED_ARRANGED_SHARE and performer and is_one_voice(cast.notes):
                part = self._performed(performer, cast.family, composition, duration_s)
            elif way > 1 - OWN_ARRANGED_SHARE:
                kind = OWN_KINDS[int(rng.choice(len(OWN_KINDS), p=OWN_KIND_SHARES))]
                part = self._on_patch(kind, cast.family, composition, duration_s)
            else:
                part = self._on_font(cast.family, composition, duration_s)
            if part is not None:
                played.append(self._levelled(part, rng.normal(0, 4), is_mix=True))
        return played

    def _section(self, song: Song, duration_s: float) -> list[PlayedPart]:
        """Let a section play; its players stand near each other and are about as loud."""
        rng = self._rng
        section_db = rng.normal(0, 3)
        played = []
        for voice in section(rng, song, duration_s):
            composition = Composition(Part(voice.notes), "section")
            if rng.random() < PERFORMED_VOICE_SHARE:
                part = self._performed(
                    PERFORMER_OF_SECTION[voice.family.name], voice.family, composition, duration_s
                )
            else:
                part = self._on_font(voice.family, composition, duration_s)
            if part is not None:
                level_db = section_db - VOICE_DB + rng.normal(0, 2)
                played.append(self._levelled(part, level_db, is_mix=True))
        return played

    def _levelled(self, part: PlayedPart, level_db: float, *, is_mix: bool) -> PlayedPart:
        """Return a part at a level beside the others, of a mix through a channel of its own."""
        if self._in_rooms:
            return _placed(self._rng, part, level_db)
        sound = to_rms(part.sound)
        if is_mix:
            sound = to_rms(produced(self._rng, sound)) * 10 ** (level_db / 20)
        return replace(part, sound=sound)

    def _part(self, task: _Task, *, is_bass: bool, is_mix: bool) -> PlayedPart | None:
        rng = self._rng
        kind = rng.random()
        if is_bass:
            kind = 1.0  # mixes are built on a part of a soundfont, most often a bass
        if kind < self._ways.performers:
            return self._performed_part(task)
        if kind < self._ways.performers + self._ways.own_patches:
            return self._own_part(task)
        shares = self._mix_shares if is_mix else self._family_shares
        family = FAMILIES[int(rng.choice(len(FAMILIES), p=shares))]
        if is_bass and rng.random() < 0.6:
            family = FAMILY_NAMED["bass"]
        return self._font_part(family, task)

    def _font_part(self, family: Family, task: _Task) -> PlayedPart | None:
        return self._on_font(family, self._composed(family, task), task.duration_s)

    def _on_font(
        self, family: Family, composition: Composition, duration_s: float
    ) -> PlayedPart | None:
        rng = self._rng
        able = [font for font in self._fonts if font.programs_of(family)]
        if not able:
            return None
        shares = np.array([font.share for font in able])
        font = able[int(rng.choice(len(able), p=shares / shares.sum()))]
        program = int(rng.choice(font.programs_of(family)))
        part = composition.part
        if not part.notes:
            return None
        steps = 0
        if self._ways.resized and rng.random() < self._ways.resized:
            steps = int(rng.integers(-MOST_RESIZED_STEPS, MOST_RESIZED_STEPS + 1))
        room = random_room(rng) if self._in_rooms else None
        sound = font.play(program, part, duration_s, smaller_steps=steps, room=room)
        if sound is None:
            return None
        side: Samples | None = None
        if room is not None:
            sound, side = sound[:, 0], sound[:, 1]
        if family.name == "piano":
            if part.pedal and rng.random() < RESONANCE_SHARE:
                sound = np.asarray(resonated(rng, sound), np.float32)
            if rng.random() < HAMMER_SHARE:
                sound = with_hammers(rng, sound, part)
        sound = with_muted_strokes(rng, sound, part)
        notes = font.heard(program, part, family, smaller_steps=steps)
        recipe = f"{family.name}/{font.name}:{program}/{composition.style}"
        return PlayedPart(sound, notes, recipe, side)

    def _own_part(self, task: _Task) -> PlayedPart | None:
        rng = self._rng
        kind = OWN_KINDS[int(rng.choice(len(OWN_KINDS), p=OWN_KIND_SHARES))]
        family = FAMILY_NAMED[str(rng.choice(FAMILIES_OF_KIND[kind]))]
        return self._on_patch(kind, family, self._composed(family, task), task.duration_s)

    def _on_patch(
        self, kind: PatchKind, family: Family, composition: Composition, duration_s: float
    ) -> PlayedPart | None:
        rng = self._rng
        notes = composition.part.notes
        if not notes:
            return None
        patch = random_patch(rng, kind)
        sound = render_part(rng, notes, patch, duration_s=duration_s)
        sound = with_muted_strokes(rng, sound, composition.part)
        recipe = f"own-{kind}/{family.name}/{composition.style}"
        return PlayedPart(sound, labelled(notes, patch), recipe)

    def _performed_part(self, task: _Task) -> PlayedPart | None:
        rng = self._rng
        kind = drawn_kind(rng)
        if kind == "harmonica" and task.doubled is None and rng.random() < DIATONIC_SHARE:
            return diatonic_harmonica(rng, task.song, task.duration_s)
        family = drawn_family(rng, kind)
        return self._performed(kind, family, self._composed(family, task), task.duration_s)

    def _performed(
        self, kind: PerformerKind, family: Family, composition: Composition, duration_s: float
    ) -> PlayedPart | None:
        return performed(self._rng, kind, family, composition, duration_s, self._voices)

    def _composed(self, family: Family, task: _Task) -> Composition:
        """Compose a part, or double another one and perhaps play something else as well."""
        rng = self._rng
        composition = compose(rng, family, task.duration_s, song=task.song)
        if task.doubled is None:
            return composition
        notes = in_unison(rng, task.doubled, family)
        if family.name in TWO_HANDED and rng.random() < OWN_NOTES_SHARE:
            voice = one_voice_of(notes, task.duration_s)
            notes = one_player_of(voice + composition.part.notes, task.duration_s)
            return replace(composition, part=replace(composition.part, notes=notes))
        return replace(composition, part=Part(notes))

    def _drums(self, duration_s: float, written: Sequence[PlayedNote] = ()) -> Samples | None:
        return backing_drums(self._rng, self._kits, self._fonts, duration_s, written)

    def _bled(
        self, sound: Sound, song: Song, duration_s: float, level_db: tuple[float, float]
    ) -> Sound:
        """Let drums or others who play along be heard from afar; nobody asks for their notes."""
        rng = self._rng
        other: Sound | None
        if rng.random() < BLEEDING_DRUMS_SHARE:
            other = self._drums(duration_s)
        else:
            players = self._mixed(int(rng.choice([1, 1, 2, 3])), song, duration_s, is_mix=False)
            part = together(players, duration_s)
            other = None if part is None else part.sound
        if other is None or np.abs(other).max() < 1e-3:
            return sound
        length = min(len(sound), len(other))
        level = 10 ** (rng.uniform(*level_db) / 20)
        afar = to_rms(produced(rng, other[:length])) * level
        return np.asarray(to_rms(sound[:length]) + afar)


def _placed(rng: np.random.Generator, part: PlayedPart, level_db: float) -> PlayedPart:
    """Return a part in a room, at a level beside the others."""
    middle, side = spread(rng, part.sound) if part.side is None else (part.sound, part.side)
    gain = 10 ** (level_db / 20) / (np.sqrt((middle**2).mean()) + 1e-6)
    return replace(part, sound=middle * gain, side=side[: len(middle)] * gain)


def _at_speed(notes: list[PlayedNote], speed: float, shift: int) -> tuple[PlayedNote, ...]:
    """Return the notes as they lie in the clip after resampling."""
    return tuple(
        PlayedNote(
            note.onset_s / speed,
            min(note.offset_s / speed, CLIP_S),
            note.pitch + shift,
            note.velocity,
            note.program,
        )
        for note in notes
        if LOWEST_PITCH <= note.pitch + shift <= HIGHEST_PITCH
        and note.onset_s / speed < CLIP_S - 0.05
    )
