"""Songs of any kind for property tests."""

from hypothesis import strategies as st

from core.score.note import NoteEvent, PitchBend
from core.score.tempo import Meter, TempoMap
from core.score.transcription import Key, Track, Transcription
from tests import make

BPMS = st.floats(20.0, 999.0)


@st.composite
def tempo_maps(draw: st.DrawFn) -> TempoMap:
    """Draw maps with any number of changes at any beat, in any meter, pickup or not."""
    beats = draw(st.lists(st.floats(0.25, 400.0), max_size=12))
    rising = sorted({round(beat, 3) for beat in beats})
    changes = [(0.0, draw(BPMS)), *((beat, draw(BPMS)) for beat in rising)]
    meter = Meter(draw(st.integers(1, 13)), draw(st.sampled_from([2, 4, 8, 16])))
    first_downbeat_s = draw(st.floats(-3.0, 10.0))
    return make.tempo_map(*changes, first_downbeat_s=first_downbeat_s).with_meter(meter)


@st.composite
def _notes(draw: st.DrawFn) -> NoteEvent:
    """Draw notes on a coarse grid and few pitches, so that many overlap or begin together."""
    onset_s = draw(st.integers(0, 40)) * 0.1 + draw(st.sampled_from([0.0, 0.0002, 0.003]))
    duration_s = draw(st.sampled_from([0.0, 0.001, 0.1, 0.35, 3.0]))
    bends = draw(st.lists(st.tuples(st.floats(0.0, 0.5), st.floats(-3.0, 3.0)), max_size=3))
    return NoteEvent(
        onset_s,
        draw(st.sampled_from([0, 36, 60, 61, 127])),
        onset_s + duration_s,
        draw(st.integers(1, 127)),
        bends=tuple(PitchBend(onset_s + after_s, by) for after_s, by in sorted(bends)),
    )


@st.composite
def songs(draw: st.DrawFn) -> Transcription:
    tracks = [
        Track(
            draw(st.text(max_size=8)),
            tuple(draw(st.lists(_notes(), max_size=12))),
            draw(st.integers(0, 127)),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    if draw(st.booleans()):
        tracks.append(make.drums(*draw(st.lists(_notes(), max_size=12))))
    key = draw(st.none() | st.builds(Key, st.integers(0, 11), st.booleans()))
    return Transcription(tuple(tracks), draw(tempo_maps()), key)
