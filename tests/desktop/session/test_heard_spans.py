import pytest

from desktop.session.heard_spans import NOTHING_HEARD


def heard(*spans):
    found = NOTHING_HEARD
    for span in spans:
        found = found.with_span(*span)
    return found


def test_neighbours_become_one_span():
    assert heard((0.0, 2.0), (2.0, 4.0)).spans == ((0.0, 4.0),)


def test_a_gap_stays_until_it_is_heard():
    assert heard((0.0, 2.0), (4.0, 6.0)).spans == ((0.0, 2.0), (4.0, 6.0))
    assert heard((0.0, 2.0), (4.0, 6.0), (2.0, 4.0)).spans == ((0.0, 6.0),)


@pytest.mark.parametrize("gap_s", [0.01, -0.01])
def test_rounding_neither_parts_neighbours_nor_begins_another_round(gap_s):
    assert heard((0.0, 2.0), (2.0 + gap_s, 4.0)).spans == ((0.0, 4.0),)


@pytest.mark.parametrize(
    ("spans", "edge_s"),
    [((), 0.0), (((4.0, 6.0),), 0.0), (((0.0, 2.0), (4.0, 6.0)), 2.0)],
)
def test_up_to_the_edge_everything_is_heard(spans, edge_s):
    assert heard(*spans).edge_s == edge_s


def test_what_was_heard_before_begins_the_next_round():
    assert heard((0.0, 8.0), (8.0, 12.0), (0.0, 8.0)).spans == ((0.0, 8.0),)
