"""What a pickle describes, read by a machine of our own that has no way to call anything.

A pickle is a program for a small stack machine, and Python's machine calls whatever the program
names. This one only writes down what would be named and made: containers, plain values, and for
everything else `Named`, `Made` and `Stored`. Its safety rests on that alone. That a file which
names means to run programs is refused outright is a courtesy to the user, who should know.
"""

import io
import pickletools
from _compat_pickle import IMPORT_MAPPING
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MOST_STEPS = 1_000_000  # the largest published file of these families takes about 50,000

_Key = str | int | float | bytes | None

# Packages and modules that run programs, load code, or reach files and the network.
_MEANS_TO_RUN = frozenset(
    {
        "asyncio", "bdb", "cloudpickle", "codeop", "cProfile", "ctypes", "dill", "ensurepip",
        "ftplib", "http", "httpx", "importlib", "joblib", "marshal", "multiprocessing", "nt",
        "os", "pdb", "pickle", "_pickle", "pip", "pkgutil", "posix", "pty", "pydoc", "requests",
        "runpy", "shelve", "shutil", "smtplib", "socket", "subprocess", "sys", "tempfile",
        "timeit", "torch.hub", "torch.jit", "torch.package", "torch.serialization",
        "torch.utils.cpp_extension", "torch.utils.model_zoo", "urllib", "webbrowser", "winreg",
        "zipimport", "numpy.f2py", "numpy.testing",
    }
)  # fmt: skip
_NAMES_TO_RUN = frozenset(
    [("torch", "load"), ("torch", "compile"), ("numpy", "load"), ("types", "CodeType"),
     ("types", "FunctionType"), ("types", "LambdaType"), ("operator", "methodcaller"),
     ("io", "open"), ("_io", "open")]
)  # fmt: skip
_PLAIN_BUILTINS = frozenset(
    {
        "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "getattr", "int",
        "list", "long", "object", "range", "set", "slice", "str", "tuple", "type", "unicode",
        "xrange", "Ellipsis", "NotImplemented",
    }
)  # fmt: skip

_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}


class DamagedPickleError(Exception):
    """The bytes are no pickle that can be read here."""


class UnsafePickleError(Exception):
    """The pickle names something that runs programs; the message is that name."""


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A function or class, by name only."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What would be made by calling `maker`; `items` is what would then be put in by key."""

    maker: object
    arguments: object
    items: dict[_Key, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A reference to something that lies outside the pickle."""

    reference: object


def read_pickle(content: bytes) -> object:
    """Return what a pickle describes; sets come as lists, keys that are not plain are left out.

    Raises:
        UnsafePickleError: it names means to run programs.
        DamagedPickleError: it is damaged or of a kind that checkpoints are not written in.
    """
    machine = _Machine()
    stream = io.BytesIO(content)
    for _ in range(MOST_STEPS):
        step, argument = _next_step(stream)
        if step == "STOP":
            return machine.pop()
        if step in _PUSHED:
            machine.stack.append(argument)
        else:
            _STEPS[step](machine, argument)
    raise DamagedPickleError("it does not end")


def _next_step(stream: io.BytesIO) -> tuple[str, object]:
    code = stream.read(1)
    opcode = _OPCODES.get(code.decode("latin-1"))
    if opcode is None or not (opcode.name in _STEPS or opcode.name in _PUSHED):
        raise DamagedPickleError("it breaks off" if not code else f"step {code!r} is unknown")
    try:
        if opcode.name == "GLOBAL":  # pickletools would take backslashes in it for escapes
            return opcode.name, [_line(stream), _line(stream)]
        return opcode.name, opcode.arg.reader(stream) if opcode.arg else None
    except (ValueError, OverflowError) as error:
        raise DamagedPickleError("it breaks off") from error


def _line(stream: io.BytesIO) -> str:
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise ValueError("a line without end")
    return line[:-1].decode()


class _Machine:
    def __init__(self) -> None:
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}

    def pop(self) -> object:
        if not self.stack:
            raise DamagedPickleError("its stack is empty")
        return self.stack.pop()

    def top(self) -> object:
        if not self.stack:
            raise DamagedPickleError("its stack is empty")
        return self.stack[-1]

    def pop_to_mark(self) -> list[object]:
        if not self.marks:
            raise DamagedPickleError("a mark is missing")
        mark = self.marks.pop()
        popped = self.stack[mark:]
        del self.stack[mark:]
        return popped

    def mark(self) -> None:
        self.marks.append(len(self.stack))

    def push_tuple(self, length: int) -> None:
        values = [self.pop() for _ in range(length)]
        self.stack.append(tuple(reversed(values)))

    def push_dict(self) -> None:
        pairs = self.pop_to_mark()
        self.stack.append({})
        self._put(pairs)

    def append(self, values: list[object]) -> None:
        target = self.top()
        if isinstance(target, list):
            target += values
        elif not isinstance(target, Made):
            raise DamagedPickleError("a value is added to what is no list")

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self._put([key, value])

    def set_items(self) -> None:
        self._put(self.pop_to_mark())

    def _put(self, pairs: list[object]) -> None:
        target = self.top()
        if len(pairs) % 2 or not isinstance(target, (dict, Made)):
            raise DamagedPickleError("an item is put into what is no mapping")
        items = target.items if isinstance(target, Made) else target
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            # Others are never names of tensors, and hashing them could exhaust the stack.
            if key is None or isinstance(key, (str, int, float, bytes)):
                items[key] = value

    def name(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise DamagedPickleError("a name that is no text")
        if _runs_programs(module, name):
            raise UnsafePickleError(f"{module}.{name}"[:200])
        self.stack.append(Named(module, name))

    def name_written(self, lines: object) -> None:
        module, name = lines if isinstance(lines, list) else (None, None)
        self.name(module, name)

    def name_from_stack(self) -> None:
        name, module = self.pop(), self.pop()
        self.name(module, name)

    def make(self) -> None:
        arguments, maker = self.pop(), self.pop()
        self.stack.append(Made(maker, arguments))

    def make_with_keywords(self) -> None:
        _, arguments, maker = self.pop(), self.pop(), self.pop()
        self.stack.append(Made(maker, arguments))

    def remember(self, place: object) -> None:
        self.memo[len(self.memo) if place is None else _place(place)] = self.top()

    def recall(self, place: object) -> None:
        if _place(place) not in self.memo:
            raise DamagedPickleError("it recalls what was never there")
        self.stack.append(self.memo[_place(place)])


def _place(place: object) -> int:
    if not isinstance(place, int):
        raise DamagedPickleError("a place that is no number")
    return place


def _runs_programs(module: str, name: str) -> bool:
    module = IMPORT_MAPPING.get(module, module)  # protocol 2 writes the names of Python 2
    if module == "builtins":
        return name not in _PLAIN_BUILTINS and not name.endswith(("Error", "Exception"))
    parts = module.split(".")
    packages = {".".join(parts[:count]) for count in range(1, min(len(parts), 4) + 1)}
    return not packages.isdisjoint(_MEANS_TO_RUN) or (module, name) in _NAMES_TO_RUN


# Steps of protocols 0 and 1 alone are unknown here: PyTorch has always written protocol 2.
_PUSHED = frozenset(
    {
        "NONE", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINSTRING",
        "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
        "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    }
)  # fmt: skip

_STEPS: Mapping[str, Callable[[_Machine, object], object]] = MappingProxyType(
    {
        "PROTO": lambda machine, _: None,
        "FRAME": lambda machine, _: None,
        "STOP": lambda machine, _: None,
        "NEWTRUE": lambda machine, _: machine.stack.append(True),
        "NEWFALSE": lambda machine, _: machine.stack.append(False),
        "MARK": lambda machine, _: machine.mark(),
        "POP": lambda machine, _: machine.pop(),
        "POP_MARK": lambda machine, _: machine.pop_to_mark(),
        "DUP": lambda machine, _: machine.stack.append(machine.top()),
        "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
        "EMPTY_SET": lambda machine, _: machine.stack.append([]),
        "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
        "EMPTY_TUPLE": lambda machine, _: machine.push_tuple(0),
        "TUPLE1": lambda machine, _: machine.push_tuple(1),
        "TUPLE2": lambda machine, _: machine.push_tuple(2),
        "TUPLE3": lambda machine, _: machine.push_tuple(3),
        "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.pop_to_mark())),
        "LIST": lambda machine, _: machine.stack.append(machine.pop_to_mark()),
        "FROZENSET": lambda machine, _: machine.stack.append(machine.pop_to_mark()),
        "DICT": lambda machine, _: machine.push_dict(),
        "APPEND": lambda machine, _: machine.append([machine.pop()]),
        "APPENDS": lambda machine, _: machine.append(machine.pop_to_mark()),
        "ADDITEMS": lambda machine, _: machine.append(machine.pop_to_mark()),
        "SETITEM": lambda machine, _: machine.set_item(),
        "SETITEMS": lambda machine, _: machine.set_items(),
        "GLOBAL": lambda machine, lines: machine.name_written(lines),
        "STACK_GLOBAL": lambda machine, _: machine.name_from_stack(),
        "REDUCE": lambda machine, _: machine.make(),
        "NEWOBJ": lambda machine, _: machine.make(),
        "NEWOBJ_EX": lambda machine, _: machine.make_with_keywords(),
        "BUILD": lambda machine, _: machine.pop(),  # the state of an object: it stays as it is
        "BINPERSID": lambda machine, _: machine.stack.append(Stored(machine.pop())),
        "BINGET": lambda machine, place: machine.recall(place),
        "LONG_BINGET": lambda machine, place: machine.recall(place),
        "BINPUT": lambda machine, place: machine.remember(place),
        "LONG_BINPUT": lambda machine, place: machine.remember(place),
        "MEMOIZE": lambda machine, _: machine.remember(None),
    }
)
