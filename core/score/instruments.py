"""General MIDI programs, drum keys, and the kinds of stem that musicians export."""

from enum import StrEnum


class StemKind(StrEnum):
    """What a file holds, as far as choosing a model and naming tracks is concerned."""

    DRUMS = "drums"
    BASS = "bass"
    VOCALS = "vocals"
    KEYS = "keys"
    GUITAR = "guitar"
    STRINGS = "strings"
    BRASS = "brass"
    WINDS = "winds"
    SYNTH = "synth"
    OTHER = "other"
    MIX = "mix"
