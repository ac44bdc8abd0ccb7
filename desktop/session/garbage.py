"""Garbage: cycles of Python objects are freed in the window's thread and in no other.

Python looks for cycles in whichever thread happens to allocate, and frees what it finds there. Qt's
objects must be destroyed in the thread they live in.
"""

import gc

from PySide6.QtCore import QObject, QTimer

COLLECT_EVERY_MS = 500


def collect_garbage_here(parent: QObject) -> None:
    """Collect in the calling thread's event loop from now on, as long as `parent` lives.

    What is there already will mostly stay for good and is not searched again.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    timer = QTimer(parent)
    timer.timeout.connect(collect_what_is_due)
    timer.start(COLLECT_EVERY_MS)


def collect_what_is_due() -> None:
    """Collect the oldest generation that has passed its threshold, as Python itself would."""
    counts_and_limits = enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
    due = [generation for generation, (count, limit) in counts_and_limits if count > limit]
    if due:
        gc.collect(max(due))
