"""What the timeline is fed with: the document's song as tracks and lanes to be drawn."""

from desktop.session.document import Document, Song, Stem, StemState
from desktop.views.song_view import Emphasis, Lane, TrackView


def track_views(document: Document, song: Song) -> list[TrackView]:
    """Return the song's tracks; those that are not exported are ghosts."""
    return [
        TrackView(
            name=item.track.name,
            notes=item.track.notes,
            colour_index=item.colour_index,
            is_drum=item.track.is_drum,
            emphasis=Emphasis.NORMAL if item.is_exported else Emphasis.GHOSTED,
        )
        for item in document.tracks_of(song.song_id)
    ]


def lanes(document: Document, song: Song) -> list[Lane]:
    """Return one lane per stem in its colour."""
    return [
        Lane(
            name=stem.path.stem,
            colour_index=document.colour_of(stem),
            peaks=stem.scan.peaks if stem.scan is not None else None,
            heard_until_s=_heard_until_s(stem),
        )
        for stem in document.stems_of(song.song_id)
    ]


def duration_s(document: Document, song: Song) -> float:
    """Return how long the longest stem or the last note is."""
    ends_s = [stem.duration_s for stem in document.stems_of(song.song_id)]
    for item in document.tracks_of(song.song_id):
        ends_s.append(max((note.offset_s for note in item.track.notes), default=0.0))
    return max(ends_s, default=0.0)


def _heard_until_s(stem: Stem) -> float | None:
    return stem.done_s if stem.state in (StemState.PREPARING, StemState.RUNNING) else None
