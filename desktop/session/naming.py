"""Naming again: the notes of a stem for other thresholds, from what the networks said once."""

from dataclasses import replace

from core.codec.posteriors_to_notes import decode_options_for
from core.engine.heard import HeardStem, tracks_from
from desktop.session.document import StemChoice

SENSITIVITY_RANGE = 0.4  # how far the slider's ends move the onset thresholds, which lie near 0.5
CONFIDENCE_RANGE = 0.55  # how sure of a token the model must be at the slider's lower end


def can_be_named_again(heard: HeardStem) -> bool:
    """Tell whether what the model said is at hand."""
    said = heard.posteriors
    return said.pitch is not None or said.drums is not None or said.tokens is not None


def can_find_more(heard: HeardStem) -> bool:
    """Tell whether weaker notes are at hand too; a model that writes tokens keeps only its own."""
    return heard.posteriors.tokens is None


def named_again(heard: HeardStem, choice: StemChoice) -> HeardStem:
    """Return the stem with the notes that the choice's thresholds find; no network runs."""
    if not can_be_named_again(heard):
        return heard
    kind = heard.source.kind
    reach = SENSITIVITY_RANGE if can_find_more(heard) else CONFIDENCE_RANGE
    options = decode_options_for(kind).more_sensitive_by(choice.sensitivity * reach)
    options = replace(options, min_note_s=choice.min_note_s)
    return replace(heard, tracks=tracks_from(heard.posteriors, kind, options))
