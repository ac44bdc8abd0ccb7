"""How exact and how fast MIDI files are: `python -m tests.benchmarks.bench_midi`."""
# ruff: noqa: T201 - its output is for reading

from time import perf_counter

from core.midi.read import transcription_of
from core.midi.write import MidiOptions, Timing, midi_bytes, tick_grid
from core.score.note import NoteEvent
from core.score.tempo import TempoChange, TempoMap, constant_tempo
from core.score.transcription import Track, Transcription
from tests.midi_content import onsets_s


def a_tempo_per_bar(until_s: float, *, bpm: float = 121.3) -> TempoMap:
    """Return a map whose tempo wanders by up to 6 % and changes at each bar line."""
    bars = int(until_s * bpm / 60 / 4)
    changes = tuple(
        TempoChange(4.0 * bar, round(bpm * (0.94 + 0.12 * (bar * 0.618 % 1)), 3))
        for bar in range(bars)
    )
    return TempoMap(changes, first_downbeat_s=0.731)


def clicks(until_s: float, *, every_s: float = 0.25) -> Transcription:
    """Return a click at each `every_s` seconds, off any beat."""
    onsets = [k * every_s for k in range(int(until_s / every_s))]
    notes = tuple(NoteEvent(onset_s, 76, onset_s + 0.05) for onset_s in onsets)
    return Transcription((Track("Click", notes),))


def largest_click_error_s(tempo: TempoMap, options: MidiOptions, *, until_s: float) -> float:
    """Return how far off the audio a player plays the worst click of a file."""
    song = clicks(until_s).with_tempo(tempo)
    content = midi_bytes(song, options)
    heard_s = onsets_s(content)
    start_s = -tick_grid(song, options).ticks_to_seconds(0)  # where the audio starts
    return max(
        abs(onset_s - start_s - note.onset_s)
        for onset_s, note in zip(heard_s, song.tracks[0].notes, strict=True)
    )


def _print_exactness(until_s: float) -> None:
    tempos = {
        "120 BPM": constant_tempo(120.0),
        "139.7 BPM": constant_tempo(139.7, first_downbeat_s=0.731),
        "63.21 BPM": constant_tempo(63.21, first_downbeat_s=2.0),
        "a tempo per bar": a_tempo_per_bar(until_s),
    }
    for name, tempo in tempos.items():
        for timing in Timing:
            error_s = largest_click_error_s(tempo, MidiOptions(timing=timing), until_s=until_s)
            print(f"{name:16} {timing:9} largest onset error {1000 * error_s:.3f} ms")


def _print_speed(note_count: int) -> None:
    song = clicks(note_count * 0.25).with_tempo(a_tempo_per_bar(note_count * 0.25))
    start_s = perf_counter()
    content = midi_bytes(song)
    written_s = perf_counter()
    transcription_of(content)
    read_s = perf_counter()
    print(f"{note_count} notes: written in {written_s - start_s:.2f} s", end=", ")
    print(f"read in {read_s - written_s:.2f} s")


if __name__ == "__main__":
    print("An hour of clicks:")
    _print_exactness(3600.0)
    _print_speed(10_000)
