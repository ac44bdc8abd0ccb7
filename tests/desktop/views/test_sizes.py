import pytest

from desktop.views.sizes import rate_text, size_text, wait_text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (171_589_452, "172 MB"),
        (999_600_000, "1.0 GB"),
        (1_440_000_000, "1.4 GB"),
        (43_000_000_000, "43 GB"),
        (2_000_000_000_000_000, "2000 TB"),
    ],
)
def test_a_size_is_three_digits_at_most_below_the_last_unit(size_bytes, text):
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(640_000, "640 kB/s"), (3_210_000, "3.2 MB/s"), (0, "0 kB/s")]
)
def test_a_rate_is_in_the_unit_it_is_spoken_of(rate, text):
    assert rate_text(rate) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (40.4, "40 s"), (170, "3 min"), (7200, "2 h"), (9000, "2.5 h")],
)
def test_a_wait_is_in_one_unit(seconds, text):
    assert wait_text(seconds) == text
