"""Loading: an audio file as the player wants it, at the sound card's rate."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import numpy.typing as npt

from core.audio.read import stream_stereo
from core.engine.progress import CancelToken
from core.errors import AudioReadError
from desktop.playback.mixer import CHANNELS

LONGEST_IN_MEMORY_S = 600.0  # 210 MB at 44.1 kHz; what is longer lies in a temporary file

Samples = npt.NDArray[np.float32]


def load_sound(path: Path, sample_rate: int, cancel: CancelToken) -> Samples:
    """Return the file's samples [frame, 2] at `sample_rate`; of more channels, the first two.

    A long file comes memory-mapped: the system reads it from the disk as it plays, and three hours
    need no gigabytes of memory.

    Raises:
        AudioReadError: the file cannot be used, or a long one does not fit on the disk once more.
        CancelledError: nobody waits for it any longer.
    """
    blocks: list[Samples] = []
    frames = 0
    stream = stream_stereo(path, sample_rate)
    for block in stream:
        cancel.raise_if_set()
        blocks.append(block)
        frames += len(block)
        if frames > LONGEST_IN_MEMORY_S * sample_rate:
            return _on_disk(path, chain(blocks, stream), cancel)
    return np.concatenate(blocks)


def _on_disk(path: Path, blocks: Iterable[Samples], cancel: CancelToken) -> Samples:
    try:
        with TemporaryFile() as file:
            for block in blocks:
                cancel.raise_if_set()
                file.write(block.tobytes())
            file.flush()
            return np.memmap(file, np.float32, mode="r").reshape(-1, CHANNELS)
    except OSError as error:
        raise AudioReadError(
            path,
            "there is no room on the disk to play it",
            "Free some space and play it again.",
        ) from error
