"""A pickle is described, never run."""

import math
import os
import pickle
import subprocess
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.inert_pickle import (
    MOST_STEPS,
    DamagedPickleError,
    Made,
    Named,
    Stored,
    UnsafePickleError,
    read_pickle,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


class Calls:
    """Makes a pickle that names a function and its arguments."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> tuple[object, ...]:
        return self.reduced


@given(PLAIN, st.integers(2, 5))
def test_plain_values_come_back_as_they_were(value: object, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol)) == value


@given(st.binary(), st.integers(3, 5))  # protocol 2 knows no bytes
def test_bytes_come_back_as_they_were(value: bytes, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(DamagedPickleError, UnsafePickleError):
        read_pickle(content)


@given(PLAIN, st.integers(2, 5), st.data())
def test_any_damaged_pickle_is_read_or_refused(
    value: object, protocol: int, data: st.DataObject
) -> None:
    content = bytearray(pickle.dumps(value, protocol))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DamagedPickleError, UnsafePickleError):
        read_pickle(bytes(content))


def test_an_object_is_described_by_class_arguments_and_items() -> None:
    read = read_pickle(pickle.dumps(OrderedDict(a=1, b=[2]), 2))
    assert isinstance(read, Made)
    assert isinstance(read.maker, Named)
    assert str(read.maker) == "collections.OrderedDict"
    assert read.items == {"a": 1, "b": [2]}


def test_a_class_that_is_not_installed_is_only_named() -> None:
    read = read_pickle(b"\x80\x02ctask_manager\nTaskManager\n)\x81}X\x01\x00\x00\x00aK\x01sb.")
    assert isinstance(read, Made)
    assert str(read.maker) == "task_manager.TaskManager"


def test_backslashes_in_a_name_stand_for_themselves() -> None:
    assert str(read_pickle(b"\x80\x02ca\\x2e\nb\\\n.")) == "a\\x2e.b\\"


def test_a_state_given_to_an_object_changes_nothing() -> None:
    made = read_pickle(b"\x80\x02ca.b\nC\n)\x81}X\x05\x00\x00\x00itemsK\x01sb.")
    assert isinstance(made, Made)
    assert made.items == {}


def test_what_lies_outside_is_only_referred_to() -> None:
    read = read_pickle(b"\x80\x02X\x01\x00\x00\x007Q.")
    assert isinstance(read, Stored)
    assert read.reference == "7"


@pytest.mark.parametrize(
    "evil",
    [
        Calls(os.system, "true"),
        Calls(subprocess.Popen, ["true"]),
        Calls(eval, "1"),
        Calls(exec, "1"),
        Calls(__import__, "os"),
        {"deep": [{"down": (Calls(os.system, "true"),)}]},
        [os.system],
    ],
)
def test_names_that_run_programs_are_refused(evil: object) -> None:
    with pytest.raises(UnsafePickleError, match=r"posix|nt\.system|subprocess|builtins"):
        read_pickle(pickle.dumps(evil))


@pytest.mark.parametrize(
    "name", ["torch.hub\nload", "torch\nload", "torch.jit._script\nload", "sys\nexit"]
)
def test_names_of_packages_that_load_code_are_refused(name: str) -> None:
    with pytest.raises(UnsafePickleError):
        read_pickle(b"\x80\x02c" + name.encode() + b"\n.")


@pytest.mark.parametrize(
    "name", ["oslo.config\nCfg", "functools\npartial", "numpy\ndtype", "_codecs\nencode"]
)
def test_names_of_other_packages_are_left_alone(name: str) -> None:
    assert isinstance(read_pickle(b"\x80\x02c" + name.encode() + b"\n."), Named)


def leave_a_trace(path: Path) -> None:
    path.touch()


def test_nothing_runs_even_of_a_name_that_is_not_known_to_be_dangerous(tmp_path: Path) -> None:
    content = pickle.dumps(Calls(leave_a_trace, tmp_path / "trace"))
    assert isinstance(read_pickle(content), Made)
    assert not (tmp_path / "trace").exists()
    pickle.loads(content)
    assert (tmp_path / "trace").exists(), "Python's own machine does run it"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "breaks off"),
        (b"\x80\x02", "breaks off"),
        (b".", "stack is empty"),
        (b"K\x01e.", "mark is missing"),
        (b"K\x01K\x02a.", "no list"),
        (b"K\x01K\x02K\x03s.", "no mapping"),
        (b"h\x00.", "never there"),
        (b"K\x01\x93.", "stack is empty"),
        (b"K\x01K\x02\x93.", "no text"),
        (b"I1\n.", "unknown"),
        (b"(i__main__\nC\n.", "unknown"),
        (b"\x82\x01.", "unknown"),
        (b"cos\nsystem", "breaks off"),
        (b"cos\n", "breaks off"),
        (b"c\xff\n\xff\n.", "breaks off"),
        (b"\x8b\xff\xff\xff\x7f.", "breaks off"),
        (b"X\xff\xff\xff\xff.", "breaks off"),
        (b"\x8d" + b"\xff" * 8 + b".", "breaks off"),
    ],
)
def test_damage_is_named(content: bytes, says: str) -> None:
    with pytest.raises(DamagedPickleError, match=says):
        read_pickle(content)


def test_a_pickle_without_end_is_given_up() -> None:
    with pytest.raises(DamagedPickleError, match="does not end"):
        read_pickle(b"N0" * MOST_STEPS)


@pytest.mark.parametrize(
    ("first", "step"),
    [(b")", b"\x85"), (b"", b"("), (b"(" * 300_000, b"l"), (b"ca\nb\n", b")R"), (b")", b"Q")],
    ids=["tuples", "marks", "lists", "objects", "references"],
)
def test_values_nested_deep_do_not_exhaust_the_stack(first: bytes, step: bytes) -> None:
    assert read_pickle(b"\x80\x02N" + first + step * 300_000 + b"N.") is None


def test_a_key_that_nests_deep_is_left_out() -> None:
    key = b")" + b"\x85" * 100_000
    assert read_pickle(b"\x80\x02}" + key + b"K\x01s.") == {}


def test_numbers_of_any_size_are_read() -> None:
    assert read_pickle(pickle.dumps(1 << 20_000)) == 1 << 20_000
    assert read_pickle(pickle.dumps(math.inf)) == math.inf
