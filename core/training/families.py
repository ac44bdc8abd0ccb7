"""Instrument families of General MIDI: programs, range, what they tend to play."""

from dataclasses import dataclass

from core.training.part import NO_PROGRAM

# Sung and bowed ensembles are one family of General MIDI, harmonicas and organs another: here
# voices are on their own, and harmonicas with the reeds.
VOICES, HARMONICA = range(52, 55), 22
STRING_FAMILY, VOICE_FAMILY, REED_FAMILY = 5, 6, 8
HEARD_FAMILIES = 12
UNKNOWN_FAMILY = -1


@dataclass(frozen=True, slots=True)
class Family:
    """`share` is how often the composer draws it; styles may repeat to be drawn more often."""

    name: str
    programs: tuple[int, ...]
    lowest_pitch: int
    highest_pitch: int
    styles: tuple[str, ...]
    is_sustained: bool
    share: float


FAMILIES = (
    Family(
        "piano",
        tuple(range(8)),
        24,
        105,
        ("hands", "hands", "hands", "chords", "arp", "melody", "random", "runs"),
        False,
        0.24,
    ),
    Family(
        "chromperc",
        tuple(range(8, 16)),
        48,
        96,
        ("melody", "arp", "chords", "random", "runs"),
        False,
        0.05,
    ),
    Family(
        "organ",
        tuple(range(16, 24)),
        36,
        96,
        ("chords", "melody", "arp", "hands", "random"),
        True,
        0.06,
    ),
    Family(
        "guitar",
        tuple(range(24, 31)),
        40,
        86,
        ("strum", "comp", "finger", "finger", "arp", "melody", "melody", "riff", "bop", "random"),
        False,
        0.20,
    ),
    Family("bass", tuple(range(32, 40)), 26, 60, ("bass", "bass", "bass", "riff"), False, 0.11),
    Family(
        "strings",
        (40, 41, 42, 43, 44, 45, 46, 48, 49, 50, 51),
        36,
        96,
        ("melody", "chords", "arp", "runs"),
        True,
        0.08,
    ),
    Family("choir", (52, 53, 54), 45, 84, ("chords", "melody", "sung", "sung"), True, 0.03),
    Family("brass", tuple(range(56, 64)), 36, 84, ("melody", "chords", "riff", "bop"), True, 0.05),
    Family("reed", tuple(range(64, 72)), 40, 90, ("melody", "bop", "runs"), True, 0.06),
    Family("harmonica", (21, 22, 22, 23), 55, 98, ("melody", "melody", "runs", "bop"), True, 0.03),
    Family("pipe", tuple(range(72, 80)), 55, 98, ("melody", "melody", "runs"), True, 0.04),
    Family(
        "lead",
        (80, 81, 82, 83, 84, 85, 87),
        36,
        96,
        ("melody", "arp", "riff", "chords", "runs"),
        True,
        0.05,
    ),
    Family("pad", tuple(range(88, 96)), 36, 90, ("chords", "arp"), True, 0.02),
    Family(
        "ethnic",
        (104, 105, 106, 107, 108, 110, 111),
        45,
        90,
        ("melody", "arp", "strum"),
        False,
        0.01,
    ),
)
FAMILY_NAMED = {family.name: family for family in FAMILIES}
PLUCKED = frozenset({"piano", "chromperc", "guitar", "bass", "ethnic"})  # sounds that die away
STRINGED = frozenset({"guitar", "bass", "ethnic"})


def heard_family(program: int) -> int:
    """Return which of the HEARD_FAMILIES plays a program, UNKNOWN_FAMILY for sounds of none."""
    if program in VOICES:
        return VOICE_FAMILY
    if program == HARMONICA:
        return REED_FAMILY
    family = program // 8
    if program == NO_PROGRAM or family >= HEARD_FAMILIES:
        return UNKNOWN_FAMILY
    return STRING_FAMILY if family == VOICE_FAMILY else family
