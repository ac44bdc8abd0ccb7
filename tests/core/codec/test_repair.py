"""Each rule puts one thing right, leaves the rest, and can be switched off."""

import time
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.repair import ALL_RULES, NO_RULES, Change, RepairRules, repaired
from core.score.instruments import StemKind, program_of
from core.score.note import NoteEvent

PITCHED_KINDS = [kind for kind in StemKind if kind not in (StemKind.DRUMS, StemKind.MIX)]


def note(
    pitch: int = 60,
    onset_s: float = 0.0,
    offset_s: float | None = None,
    program: int = 0,
    confidence: float | None = 0.9,
) -> NoteEvent:
    end_s = onset_s + 0.5 if offset_s is None else offset_s
    return NoteEvent(onset_s, pitch, end_s, 100, program, confidence=confidence)


def hit(key: int = 38, onset_s: float = 0.0, confidence: float = 0.9) -> NoteEvent:
    return NoteEvent(onset_s, key, onset_s + 0.01, 100, is_drum=True, confidence=confidence)


def only(rule: str) -> RepairRules:
    return replace(NO_RULES, **{rule: True})


def after(rule: str, kind: StemKind, *notes: NoteEvent) -> list[NoteEvent]:
    return list(repaired(notes, kind, only(rule)).notes)


@pytest.mark.parametrize("kind", PITCHED_KINDS)
def test_drums_leave_pitched_stems(kind: StemKind) -> None:
    assert after("drop_foreign", kind, note(), hit()) == [note()]


def test_pitched_notes_leave_drum_stems() -> None:
    assert after("drop_foreign", StemKind.DRUMS, note(), hit()) == [hit()]


def test_a_mix_keeps_drums_and_pitched_notes() -> None:
    assert len(after("drop_foreign", StemKind.MIX, note(), hit())) == 2


def test_a_vocal_stem_becomes_one_voice_whatever_it_was_heard_as() -> None:
    found = after("one_instrument", StemKind.VOCALS, note(program=68), note(62, 1.0, program=26))
    assert [n.program for n in found] == [program_of(StemKind.VOCALS)] * 2


def test_a_keyboard_stays_the_keyboard_that_was_heard_most() -> None:
    organ = [note(60 + n, 0.1 * n, program=16) for n in range(5)]
    found = after("one_instrument", StemKind.KEYS, *organ, note(80, 1.0, program=0))
    assert {n.program for n in found} == {16}


def test_a_guitar_stem_heard_as_a_piano_is_a_guitar() -> None:
    found = after("one_instrument", StemKind.GUITAR, note(program=0))
    assert [n.program for n in found] == [program_of(StemKind.GUITAR)]


@pytest.mark.parametrize("kind", [StemKind.MIX, StemKind.OTHER])
def test_several_instruments_stay_several(kind: StemKind) -> None:
    found = after("one_instrument", kind, note(program=0), note(62, program=40))
    assert {n.program for n in found} == {0, 40}


def test_one_note_among_many_does_not_change_the_instrument() -> None:
    line = [note(60 + n % 5, 0.2 * n) for n in range(20)]
    slip = note(62, 2.05, program=4)
    found = after("steady_instruments", StemKind.MIX, *line, slip)
    assert {n.program for n in found} == {0}
    assert len(found) == 21


def test_another_instrument_in_another_register_stays() -> None:
    line = [note(72 + n % 5, 0.2 * n) for n in range(20)]
    bass = note(40, 2.0, program=33)
    assert bass in after("steady_instruments", StemKind.MIX, *line, bass)


def test_an_instrument_with_a_handful_of_notes_goes_to_its_kin() -> None:
    piano = [note(60, 0.5 * n) for n in range(60)]
    strings = [note(84, 0.5 * n, program=48) for n in range(60)]
    strays = [note(40, 100.0, program=5)]
    found = after("steady_instruments", StemKind.MIX, *piano, *strings, *strays)
    assert {n.program for n in found} == {0, 48}
    assert next(n for n in found if n.onset_s == 100.0).program == 0


def test_a_key_struck_twice_at_once_is_one_note_as_long_as_both() -> None:
    first, second = note(60, 0.0, 0.3, confidence=0.5), note(60, 0.02, 0.9, confidence=0.8)
    (found,) = after("join_doubles", StemKind.KEYS, first, second)
    assert (found.onset_s, found.offset_s, found.confidence) == (0.02, 0.9, 0.8)


@pytest.mark.parametrize(
    "other", [note(60, 0.06), note(61, 0.02), note(60, 0.02, program=1)],
    ids=["later", "another pitch", "another program"],
)  # fmt: skip
def test_what_is_not_double_stays(other: NoteEvent) -> None:
    assert after("join_doubles", StemKind.MIX, note(60, 0.0), other) == [note(60, 0.0), other]


def test_a_bass_plays_the_lowest_of_notes_struck_together_one_at_a_time() -> None:
    ghost, root, following = note(52, 0.0, 1.0), note(40, 0.01, 1.0), note(43, 0.6, 1.0)
    found = after("single_voice", StemKind.BASS, ghost, root, following)
    assert [(n.pitch, n.offset_s) for n in found] == [(40, 0.6), (43, 1.0)]


@pytest.mark.parametrize("kind", [kind for kind in StemKind if kind is not StemKind.BASS])
def test_other_stems_may_hold_chords(kind: StemKind) -> None:
    chord = [note(60), note(64)]
    assert after("single_voice", kind, *chord) == chord


def test_pieces_of_a_sung_note_become_one() -> None:
    pieces = [note(60, 0.0, 0.5), note(60, 0.5, 1.0), note(60, 1.0, 1.2)]
    assert after("merge_fragments", StemKind.VOCALS, *pieces) == [note(60, 0.0, 1.2)]


def test_repeated_notes_of_other_stems_stay() -> None:
    repeated = [note(60, 0.0, 0.5), note(60, 0.5, 1.0)]
    assert after("merge_fragments", StemKind.KEYS, *repeated) == repeated


@pytest.mark.parametrize(
    ("speck", "stays"),
    [
        (note(60, 0.0, 0.05, confidence=0.4), False),
        (note(60, 0.0, 0.05, confidence=0.6), True),
        (note(60, 0.0, 0.5, confidence=0.1), True),
        (note(60, 0.0, 0.05, confidence=None), True),
    ],
)
def test_a_note_leaves_that_is_short_and_doubted(speck: NoteEvent, stays: bool) -> None:
    assert after("drop_specks", StemKind.KEYS, speck) == [speck] * stays


@pytest.mark.parametrize(("confidence", "stays"), [(0.2, False), (0.4, True)])
def test_a_hit_leaves_that_the_model_hardly_believes(confidence: float, stays: bool) -> None:
    drum = hit(confidence=confidence)
    assert after("drop_doubtful_hits", StemKind.DRUMS, drum) == [drum] * stays


def test_a_note_ends_where_its_key_is_struck_again() -> None:
    found = after("trim_overlaps", StemKind.KEYS, note(60, 0.0, 2.0), note(60, 1.0, 3.0))
    assert [(n.onset_s, n.offset_s) for n in found] == [(0.0, 1.0), (1.0, 3.0)]


def test_of_two_notes_that_begin_together_the_longer_stays() -> None:
    found = after("trim_overlaps", StemKind.KEYS, note(60, 0.0, 2.0), note(60, 0.0, 1.0))
    assert found == [note(60, 0.0, 2.0)]


def test_changes_say_which_rule_did_how_much() -> None:
    notes = [note(60, 0.0, 2.0), note(60, 1.0, 3.0), hit(), hit(36)]
    changes = repaired(notes, StemKind.KEYS).changes
    assert changes == (Change("drop_foreign", 2), Change("trim_overlaps", 1))


@st.composite
def stems(draw: st.DrawFn) -> list[NoteEvent]:
    """Draw notes on a coarse grid and few pitches, so that every rule finds something."""
    return [
        NoteEvent(
            onset / 20,
            draw(st.sampled_from([40, 52, 60])),
            onset / 20 + draw(st.sampled_from([0.01, 0.2, 1.0])),
            100,
            draw(st.sampled_from([0, 4, 33])),
            is_drum=draw(st.booleans()),
            confidence=draw(st.sampled_from([None, 0.1, 0.9])),
        )
        for onset in draw(st.lists(st.integers(0, 60), max_size=20))
    ]


@given(notes=stems(), kind=st.sampled_from(StemKind))
def test_without_rules_nothing_changes(notes: list[NoteEvent], kind: StemKind) -> None:
    assert repaired(notes, kind, NO_RULES).notes == tuple(sorted(notes))


@given(notes=stems(), kind=st.sampled_from(StemKind))
def test_repaired_notes_are_in_order_and_no_key_sounds_twice_at_once(
    notes: list[NoteEvent], kind: StemKind
) -> None:
    found = repaired(notes, kind).notes
    assert list(found) == sorted(found)
    last_ends: dict[tuple[bool, int, int], float] = {}
    for each in found:
        key = (each.is_drum, each.program, each.pitch)
        assert each.onset_s >= last_ends.get(key, 0.0)
        last_ends[key] = each.offset_s


@pytest.mark.parametrize("rule", [rule.name for rule in fields(RepairRules)])
@pytest.mark.parametrize("kind", StemKind)
def test_no_rule_needs_notes(rule: str, kind: StemKind) -> None:
    assert repaired([], kind, only(rule)).notes == ()
    assert repaired([], kind, replace(ALL_RULES, **{rule: False})).changes == ()


def test_rules_in_common_are_those_that_are_on_in_both() -> None:
    one = replace(ALL_RULES, drop_specks=False)
    other = replace(ALL_RULES, one_instrument=False)
    both = one.common_with(other)
    assert both == replace(ALL_RULES, drop_specks=False, one_instrument=False)
    assert both == other.common_with(one)
    assert ALL_RULES.common_with(NO_RULES) == NO_RULES


def test_ten_thousand_notes_of_a_mix_are_repaired_while_a_slider_moves() -> None:
    notes = [note(36 + 7 * k % 48, k * 0.03, program=(0, 33, 48)[k % 3]) for k in range(10_000)]
    began_s = time.process_time()
    repaired(notes, StemKind.MIX)
    assert time.process_time() - began_s < 0.3
