"""Naming again: the notes of a stem for other thresholds, from what the networks said once."""

from dataclasses import replace

from core.codec.posteriors_to_notes import decode_options_for
from core.codec.repair import ALL_RULES, NO_RULES
from core.engine.heard import HeardStem, tracks_from
from desktop.session.document import Stem, StemChoice

SENSITIVITY_RANGE = 0.4  # how far the slider's ends move the onset thresholds, which lie near 0.5
CONFIDENCE_RANGE = 0.55  # how sure of a token the model must be at the slider's lower end


def can_be_named_again(heard: HeardStem) -> bool:
    """Tell whether what the model said is at hand."""
    said = heard.posteriors
    return said.pitch is not None or said.drums is not None or said.tokens is not None


def can_find_more(heard: HeardStem) -> bool:
    """Tell whether weaker notes are at hand too; a model that writes tokens keeps only its own."""
    return heard.posteriors.tokens is None


def can_be_tidied(heard: HeardStem) -> bool:
    """Tell whether the model chose instruments itself, which it may have got wrong."""
    return heard.posteriors.tokens is not None


def shortest_note_s(stem: Stem) -> float:
    """Return how long a note of the stem must be: as chosen, else as suits its kind."""
    if stem.choice.min_note_s is not None:
        return stem.choice.min_note_s
    return decode_options_for(stem.kind).min_note_s if stem.kind is not None else 0.0


def named_again(heard: HeardStem, choice: StemChoice) -> HeardStem:
    """Return the stem with the notes that the choice asks for; no network runs."""
    if not can_be_named_again(heard):
        return heard
    kind = heard.source.kind
    reach = SENSITIVITY_RANGE if can_find_more(heard) else CONFIDENCE_RANGE
    options = decode_options_for(kind).more_sensitive_by(choice.sensitivity * reach)
    if choice.min_note_s is not None:
        options = replace(options, min_note_s=choice.min_note_s)
    rules = ALL_RULES if choice.is_tidied else NO_RULES
    return replace(heard, tracks=tracks_from(heard.posteriors, kind, options, rules=rules))
