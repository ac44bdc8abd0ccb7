"""Progress counts honestly and a cancel is heard."""

import threading

import pytest

from core.engine.progress import CancelToken, Progress
from core.errors import CancelledError


def test_progress_gives_the_share_done_and_the_speed() -> None:
    progress = Progress("transcribing", done_s=30.0, total_s=120.0, elapsed_s=2.0)
    assert progress.fraction == 0.25
    assert progress.times_real_time == 15.0


def test_progress_of_nothing_is_no_division_by_zero() -> None:
    progress = Progress("reading", done_s=0.0, total_s=0.0, elapsed_s=0.0)
    assert (progress.fraction, progress.times_real_time) == (0.0, 0.0)


def test_a_set_flag_raises_cancelled() -> None:
    flag = threading.Event()
    cancel = CancelToken(flag)
    cancel.raise_if_set()
    flag.set()
    with pytest.raises(CancelledError):
        cancel.raise_if_set()


def test_a_token_without_flag_never_cancels() -> None:
    CancelToken().raise_if_set()
