"""What became of a stem in words: by which model, on which device and why, and how fast."""

from PySide6.QtCore import QCoreApplication

from core.codec.bends import Bends
from core.engine.heard import HeardStem
from core.engine.options import AUTO_MODEL
from core.score.instruments import kind_from_name
from desktop.session.document import Stem
from desktop.session.model_library import ModelLibrary
from desktop.session.offers import wish_of


def auto_text(stem: Stem, library: ModelLibrary) -> str:
    """Return what `auto` is called for a stem: with the model it takes, once that is known."""
    kind = stem.kind or kind_from_name(stem.path.stem)
    if stem.choice.model == AUTO_MODEL and stem.heard is not None:
        model_id = stem.heard.source.model
    elif kind is not None:
        model_id = library.best_for(kind).model_id
    else:
        return _text("Auto (best installed)")
    return _text("Auto: {0}").format(library.title_of(model_id))


def model_text(stem: Stem, library: ModelLibrary) -> str:
    """Return which model heard the stem and why, or which one is going to."""
    heard, wish = stem.heard, wish_of(stem, library)
    if wish is not None and not wish.model.is_installed:
        return _text("{0} is not installed; {1} stands in").format(
            wish.model.entry.title, wish.stand_in
        )
    if heard is None:
        kind = stem.kind or kind_from_name(stem.path.stem)
        if kind is None or stem.choice.model != AUTO_MODEL:
            return ""
        best = library.best_for(kind)
        return best.reason
    title = library.title_of(heard.source.model)
    if wish is not None:
        return _text("heard by {0}, before {1} was here").format(title, wish.model.entry.title)
    if stem.choice.model == AUTO_MODEL:
        return heard.model_reason
    return _text("heard by {0}").format(title) if stem.state.is_waiting else ""


def kind_text(stem: Stem) -> str:
    """Return what the stem was heard as and what told so."""
    if stem.heard is None:
        return ""
    return _text("heard as {0} ({1})").format(stem.heard.source.kind, stem.heard.kind_found_by)


def device_text(heard: HeardStem) -> str:
    """Return where the model ran, why there, and how fast."""
    why = f" ({heard.device_reason})" if heard.device_reason else ""
    speed = f"{heard.times_real_time:.1f}".removesuffix(".0")
    return _text("ran on {0}{1}, {2}x real time").format(heard.source.device, why, speed)


def notes_text(heard: HeardStem | None) -> str:
    """Return how many notes there are, and how much the model wrote that made none."""
    if heard is None:
        return _text("There are no notes of this stem yet.")
    words = _text("{0} notes").format(heard.note_count)
    lost = heard.posteriors.tokens.losses.total if heard.posteriors.tokens is not None else 0
    if lost == 1:
        words += _text("; 1 mark of the model made no sense")
    elif lost:
        words += _text("; {0} marks of the model made no sense").format(lost)
    return words


def bends_text(stem: Stem) -> str:
    """Return how many notes bend, if they may."""
    if stem.heard is None or stem.choice.notes.bends is Bends.OFF:
        return ""
    notes = [note for track in stem.heard.tracks for note in track.notes]
    bent = sum(bool(note.bends) for note in notes)
    if not bent:
        return _text("No note bends: they hold still, or sound together.")
    return _text("{0} of {1} notes bend").format(bent, len(notes))


def job_text(stem: Stem, library: ModelLibrary) -> str:
    """Return everything about the run, a line each, for the tip of a row."""
    heard = stem.heard
    if heard is None:
        return ""
    model = f"{library.title_of(heard.source.model)}: {heard.model_reason}"
    return "\n".join([kind_text(stem), model, device_text(heard)])


def _text(words: str) -> str:
    return QCoreApplication.translate("job", words)
