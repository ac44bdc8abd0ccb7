"""What a stem's kind lets a model write: which tokens may be decoded at all.

Only instruments are ruled: shifts, velocities, ties and EOS stay free, so that the model keeps its
grammar. A mix may hold anything and stays as the model was published.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from core.codec.events import EventKind
from core.codec.vocabulary import PROGRAMS, Vocabulary
from core.score.instruments import StemKind

# Programs by kind, pitched kinds only: a family where the model tells its members apart. Between
# reeds it hops, and voices it never learnt: there one reed hears more notes of the development
# clips than any family does. Synthesisers may sound like anything.
PROGRAMS_OF_KIND: Mapping[StemKind, tuple[int, ...]] = MappingProxyType(
    {
        StemKind.BASS: (33,),
        StemKind.VOCALS: (68,),
        StemKind.KEYS: tuple(range(24)),
        StemKind.GUITAR: tuple(range(24, 32)),
        StemKind.STRINGS: tuple(range(40, 52)),
        StemKind.BRASS: tuple(range(56, 64)),
        StemKind.WINDS: (68, 73),
        StemKind.SYNTH: tuple(range(PROGRAMS)),
        StemKind.OTHER: tuple(range(PROGRAMS)),
    }
)


def allowed_tokens(
    kind: StemKind,
    vocabulary: Vocabulary,
    programs_of_kind: Mapping[StemKind, tuple[int, ...]] = PROGRAMS_OF_KIND,
) -> npt.NDArray[np.bool_]:
    """Return [token]: True where a stem of this kind may hold what the token says.

    A drum stem holds drums only, a pitched one no drums and the programs of its kind. Everything is
    allowed in a mix, and where the model was not taught to name instruments.
    """
    allowed = np.ones(vocabulary.size, np.bool_)
    if kind is StemKind.MIX or not vocabulary.has_programs:
        return allowed
    if kind is StemKind.DRUMS:
        _forbid(allowed, vocabulary, EventKind.PITCH, but=())
        _forbid(allowed, vocabulary, EventKind.PROGRAM, but=())
    else:
        _forbid(allowed, vocabulary, EventKind.DRUM, but=())
        _forbid(allowed, vocabulary, EventKind.PROGRAM, but=programs_of_kind[kind])
    return allowed


def _forbid(
    allowed: npt.NDArray[np.bool_], vocabulary: Vocabulary, kind: EventKind, *, but: Iterable[int]
) -> None:
    events = vocabulary.range_of(kind)
    allowed[events.first_token : events.tokens.stop] = False
    allowed[[events.tokens[value] for value in but]] = True
