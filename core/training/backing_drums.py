"""Drums that are heard in pitched clips and not labelled: the network learns to leave them out."""

from collections.abc import Sequence

import numpy as np

from core.training.drum_clips import make_drum_clip
from core.training.drum_synth import Kit
from core.training.font_players import TunedFont
from core.training.part import PlayedNote
from core.training.soundfonts import DRUM_BANK, SAMPLE_RATE_HZ, Samples

ONE_SHOTS_SHARE = 0.5  # of the drums that nobody wrote: played on kits, not on SoundFonts
KIT_PROGRAMS = (0, 8, 16, 24, 25, 32, 40)


def backing_drums(
    rng: np.random.Generator,
    kits: Sequence[Kit],
    fonts: Sequence[TunedFont],
    duration_s: float,
    written: Sequence[PlayedNote] = (),
) -> Samples | None:
    """Play what was written for the drummer, or a beat; None if no SoundFont has drums."""
    if not written and rng.random() < ONE_SHOTS_SHARE:
        clips = [make_drum_clip(rng, kits, []).samples for _ in range(2)]
        return np.concatenate(clips)[: int(duration_s * SAMPLE_RATE_HZ)]
    notes = list(written) or _beat(rng, duration_s)
    program = int(rng.choice(KIT_PROGRAMS))
    order: list[int] = rng.permutation(len(fonts)).tolist()
    for number in order:  # not all have drums
        font = fonts[number].font
        for kit in (program, 0):
            drums = font.play(kit, notes, duration_s=duration_s, bank=DRUM_BANK)
            if drums is not None:
                return drums
    return None


def _beat(rng: np.random.Generator, duration_s: float) -> list[PlayedNote]:
    step_s = 60 / rng.uniform(70, 170) / 2
    notes: list[PlayedNote] = []
    for step in range(int(duration_s / step_s)):
        strokes = (
            (36, 0.45 if step % 4 == 0 else 0.15),
            (38, 0.7 if step % 4 == 2 else 0.08),
            (int(rng.choice([42, 42, 46, 51])), 0.7),
            (49, 0.03),
            (int(rng.choice([41, 45, 48, 50])), 0.04),
        )
        for key, share in strokes:
            if rng.random() < share:
                onset_s = step * step_s + abs(rng.normal(0, 0.006))
                velocity = int(rng.integers(40, 125))
                notes.append(PlayedNote(onset_s, step * step_s + 0.3, key, velocity))
    return notes
