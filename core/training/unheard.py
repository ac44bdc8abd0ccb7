"""Clips of sounds that no training heard: SoundFonts and kits that only tests may use."""

from collections.abc import Iterator

import numpy as np

from core.codec.posteriors_to_notes import DRUM_KEYS
from core.score.note import NoteEvent
from core.training.calibration import calibrate
from core.training.drum_clips import make_drum_clip
from core.training.drum_kits import kits_of
from core.training.evaluate import LabelledClip
from core.training.font_players import TunedFont
from core.training.pitched_clips import FONT_SOUNDS, PitchedClip, PitchedClipMaker
from core.training.sound_sources import SoundSource, Use, sources_for
from core.training.soundfonts import SoundFont

SEED = 99
SOUNDFONT_SUFFIX = ".sf2"
CLIPS_PER_SOURCE = 30


def unheard_clips(clips_per_source: int = CLIPS_PER_SOURCE) -> Iterator[LabelledClip]:
    """Compose clips for every test-only SoundFont, and for all test-only drum kits together."""
    kits: list[SoundSource] = []
    for source in sources_for(Use.TEST_ONLY):
        if source.path is not None and source.path.suffix == SOUNDFONT_SUFFIX:
            yield from _pitched(source, SoundFont(source.path), clips_per_source)
        else:
            kits.append(source)
    yield from _drums(kits, clips_per_source)


def _pitched(source: SoundSource, font: SoundFont, count: int) -> Iterator[LabelledClip]:
    tuned = TunedFont(source.name, font, calibrate(font), 1.0)
    maker = PitchedClipMaker(np.random.default_rng(SEED), (tuned,), ways=FONT_SOUNDS)
    for number in range(count):
        clip = maker.clip()
        yield LabelledClip(
            name=f"{source.name}_{number:03d}",
            kind=f"{source.name} {_size_of(clip)}",
            samples=clip.samples,
            notes=tuple(
                NoteEvent(note.onset_s, note.pitch, note.offset_s, program=max(0, note.program))
                for note in clip.notes
            ),
            drum_hits=None,
        )


def _drums(sources: list[SoundSource], count: int) -> Iterator[LabelledClip]:
    rng, kits = np.random.default_rng(SEED), kits_of(sources)
    for number in range(count):
        clip = make_drum_clip(rng, kits, [])
        hits = tuple((hit.at_s, DRUM_KEYS[hit.drum]) for hit in clip.hits)
        yield LabelledClip(f"kits_{number:03d}", "unheard drums", clip.samples, None, hits)


def _size_of(clip: PitchedClip) -> str:
    parts = [part for part in clip.recipe.split("+") if part != "drums"]
    return "mix" if len(parts) > 1 else "solo"
