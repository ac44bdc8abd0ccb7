"""The published decoder of YourMT3, followed event by event and note by note."""

from typing import Any

import pytest

from core.codec.yourmt3_as_published import (
    Fault,
    channel_as_published,
    notes_as_published,
    segment_as_published,
)
from tests.core.codec.yourmt3_cases import (
    CASES,
    GOLDEN,
    as_golden,
    assert_same,
    golden_notes,
    row,
    rows_of,
)

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def test_there_are_46_cases() -> None:
    assert len(CASES) == 46


@every_case
def test_segments_start_where_the_original_starts_them(case: dict[str, Any]) -> None:
    starts_s = [segment["start_time"] for segment in case["segments"]]
    assert [row.start_s for row in rows_of(case)] == pytest.approx(starts_s, abs=1e-9)


@every_case
def test_segments_are_read_as_the_original_reads_them(case: dict[str, Any]) -> None:
    segments = [segment_as_published(row) for row in rows_of(case)]
    assert [segment.ties for segment in segments] == [
        [tuple(tie) for tie in ties] for ties in case["tie_events"]
    ]
    assert [segment.sounding for segment in segments] == [
        [tuple(key) for key in keys] for keys in case["last_activity"]
    ]
    for segment, expected in zip(segments, case["note_events"], strict=True):
        found = [
            [pytest.approx(change.at_s, abs=1e-9), change.pitch, change.velocity,
             128 if change.is_drum else change.program, change.is_drum]
            for change in segment.changes
        ]  # fmt: skip
        assert expected == found


@every_case
def test_notes_and_faults_are_those_of_the_original(case: dict[str, Any]) -> None:
    published = channel_as_published(rows_of(case))
    assert_same(as_golden(published.notes), golden_notes(case["notes"]))
    assert published.faults == {Fault(name): count for name, count in case["errors"].items()}


def test_channels_are_mixed_as_in_the_original() -> None:
    mix = GOLDEN["mix_channels"]
    channels = [
        [row(index, tokens) for index, tokens in enumerate(rows)] for rows in mix["channels"]
    ]
    assert_same(as_golden(notes_as_published(channels).notes), golden_notes(mix["notes"]))
