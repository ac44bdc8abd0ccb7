"""What the timeline is fed with: the document's song as tracks and lanes to be drawn."""

from core.score.instruments import StemKind, kind_from_name
from desktop.session.document import Document, Song, SongTrack, Stem, StemState
from desktop.views.song_view import EarlyView, Emphasis, Lane, TrackView


def track_views(document: Document, song: Song) -> list[TrackView]:
    """Return the song's tracks; ghosts are those not exported and those that others supersede."""
    superseded = {stem.stem_id for stem in document.stems_of(song.song_id) if stem.is_superseded}

    def stands_out(item: SongTrack) -> bool:
        return item.is_exported and item.track_id.stem_id not in superseded

    return [
        TrackView(
            name=item.track.name,
            notes=item.track.notes,
            colour_index=item.colour_index,
            is_drum=item.track.is_drum,
            emphasis=Emphasis.NORMAL if stands_out(item) else Emphasis.GHOSTED,
        )
        for item in document.tracks_of(song.song_id)
    ]


def lanes(document: Document, song: Song) -> list[Lane]:
    """Return one lane per stem; it has its colour where the stem was heard."""
    return [
        Lane(
            name=stem.path.stem,
            colour_index=document.colour_of(stem),
            peaks=stem.scan.peaks if stem.scan is not None else None,
            heard_spans=None if _is_heard(stem) else stem.heard_spans.spans,
            edge_s=None if _is_heard(stem) else stem.heard_spans.edge_s,
        )
        for stem in document.stems_of(song.song_id)
    ]


def early_view(document: Document, song: Song) -> EarlyView | None:
    """Return what the running transcription of a stem of the song has found, if one runs."""
    for stem in document.stems_of(song.song_id):
        if stem.state is StemState.RUNNING:
            return EarlyView(
                stem.early_notes,
                stem.heard_spans.edge_s,
                colour_index=document.colour_of(stem),
                has_drums_only=_likely_kind(stem) is StemKind.DRUMS,
            )
    return None


def duration_s(document: Document, song: Song) -> float:
    """Return how long the longest stem or the last note is."""
    ends_s = [stem.duration_s for stem in document.stems_of(song.song_id)]
    for item in document.tracks_of(song.song_id):
        ends_s.append(max((note.offset_s for note in item.track.notes), default=0.0))
    return max(ends_s, default=0.0)


def _is_heard(stem: Stem) -> bool:
    """Tell whether there are notes, and no others are being looked for."""
    is_running = stem.state in (StemState.PREPARING, StemState.RUNNING)
    return stem.heard is not None and not is_running


def _likely_kind(stem: Stem) -> StemKind | None:
    return stem.kind or kind_from_name(stem.path.stem)
