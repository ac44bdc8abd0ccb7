"""Naming again: the notes of a stem for other thresholds, from what the networks said once."""

from dataclasses import replace

from core.codec.posteriors_to_notes import decode_options_for
from core.engine.heard import HeardStem
from core.engine.note_choice import NoteChoice, chosen_tracks
from desktop.session.document import Stem


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


def can_bend(heard: HeardStem) -> bool:
    """Tell whether the pitch between the keys was heard; chords, drums and mixes are not asked."""
    return heard.posteriors.candidates is not None


def shortest_note_s(stem: Stem) -> float:
    """Return how long a note of the stem must be: as chosen, else as suits its kind."""
    if stem.choice.notes.min_note_s is not None:
        return stem.choice.notes.min_note_s
    return decode_options_for(stem.kind).min_note_s if stem.kind is not None else 0.0


def named_again(heard: HeardStem, choice: NoteChoice) -> HeardStem:
    """Return the stem with the notes that the choice asks for; no network runs."""
    if not can_be_named_again(heard):
        return heard
    return replace(heard, tracks=chosen_tracks(heard.posteriors, heard.source.kind, choice))
