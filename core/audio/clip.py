"""AudioClip: samples held in memory, with their rate and source."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AudioClip:
    """Float samples [sample, channel] in -1..1, `sample_rate` per second and channel."""

    samples: Samples
    sample_rate: int
    source: Path | None = None

    def __post_init__(self) -> None:
        if self.samples.ndim != 2:
            raise ValueError(f"samples must be [sample, channel], not {self.samples.shape}")

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate
