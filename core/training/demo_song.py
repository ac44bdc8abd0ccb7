"""The demo song: a short piece of our own, written as code and rendered with a free soundfont.

One command remakes every file of `resources/demo` except its README:

    python -m core.training.demo_song --out resources/demo --soundfont MuseScore_General_Full.sf2

Thirteen bars of 4/4 at 104 BPM are exactly 30 s: two bars of intro, a verse of four, a lift of
four, a tag of two and a last chord. The score is in beats; `perform` turns it into the seconds
of a band that plays well but is not a machine.
"""

import argparse
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import mido  # type: ignore[import-untyped]  # it ships no types
import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]  # it ships no types

from core.score.note import NoteEvent
from core.score.tempo import constant_tempo
from core.score.transcription import Track

BPM = 104.0
BARS = 13
BEATS_PER_BAR = 4
SONG_S = BARS * BEATS_PER_BAR * 60.0 / BPM
SAMPLE_RATE = 44_100
TICKS_PER_BEAT = 960
DRUM_CHANNEL = 9
PEAK = 10 ** (-1.0 / 20.0)  # of the mix: -1 dBFS leaves room for decoders that overshoot
MAX_OFF_GRID_S = 0.008  # what a tight band does; more would sound like a mistake
FADE_OUT_S = 0.35

# Beats count from 1 as musicians count; 2.5 is the "and" of two.  bar: beat pitch length, ...
LEAD = """
2: 4 D4 .5, 4.5 E4 .5
3: 1 G4 1.5, 2.5 A4 .5, 3 B4 1, 4 D5 .5, 4.5 B4 .5
4: 1 A4 1, 2 G4 .5, 2.5 E4 1.5, 4 D4 .5, 4.5 E4 .5
5: 1 G4 1.5, 2.5 A4 .5, 3 B4 .5, 3.5 A4 .5, 4 G4 .5, 4.5 E4 .5
6: 1 G4 2, 3 F#4 .5, 3.5 A4 .5, 4 B4 .5, 4.5 D5 .5
7: 1 E5 1.5, 2.5 D5 .5, 3 E5 .5, 3.5 G5 1, 4.5 E5 .5
8: 1 F#5 1.5, 2.5 E5 .5, 3 D5 1, 4 B4 .5, 4.5 D5 .5
9: 1 E5 1, 2 C5 .5, 2.5 D5 1, 3.5 F#5 .5, 4 E5 .5, 4.5 D5 .5
10: 1 E5 1, 2 G5 1, 3 F#5 .5, 3.5 E5 .5, 4 D5 .5, 4.5 A4 .5
11: 1 B4 1.5, 2.5 D5 .5, 3 A4 1, 4 G4 .5, 4.5 A4 .5
12: 1 B4 .5, 1.5 G4 1, 2.5 E4 .5, 3 A4 .5, 3.5 G4 .5, 4 F#4 .5, 4.5 A4 .5
13: 1 G4 3.5
"""

BASS = """
2: 1 C2 2.8, 4 D2 .5, 4.5 F#1 .5
3: 1 G1 1.4, 2.5 G1 .4, 3 D2 .9, 4 G1 .45, 4.5 F#1 .45
4: 1 E1 1.4, 2.5 E1 .4, 3 B1 .9, 4 E1 .45, 4.5 B1 .45
5: 1 C2 1.4, 2.5 C2 .4, 3 G1 .9, 4 C2 .45, 4.5 C#2 .45
6: 1 D2 1.4, 2.5 D2 .4, 3 A1 .45, 3.5 D2 .45, 4 D2 .45, 4.5 B1 .45
7: 1 C2 .45, 1.5 C2 .4, 2 C2 .45, 2.5 C2 .4, 3 C2 .45, 3.5 G1 .4, 4 C2 .45, 4.5 C#2 .4
8: 1 D2 .45, 1.5 D2 .4, 2 D2 .45, 2.5 D2 .4, 3 B1 .45, 3.5 B1 .4, 4 F#2 .45, 4.5 B1 .4
9: 1 A1 .45, 1.5 A1 .4, 2 A1 .45, 2.5 A1 .4, 3 B1 .45, 3.5 B1 .4, 4 B1 .45, 4.5 B1 .4
10: 1 C2 .45, 1.5 C2 .4, 2 C2 .45, 2.5 C2 .4, 3 D2 .45, 3.5 D2 .4, 4 D2 .45, 4.5 F#1 .4
11: 1 G1 1.4, 2.5 G1 .4, 3 F#1 .9, 4 F#1 .45, 4.5 F#1 .45
12: 1 E1 1.4, 2.5 E1 .4, 3 D2 .9, 4 D2 .45, 4.5 F#1 .45
13: 1 G1 3.5
"""

VOICINGS = {
    "Gadd9": "G3 B3 D4 A4",
    "Cadd9": "G3 C4 D4 E4",
    "G": "G3 B3 D4 G4",
    "Em7": "G3 B3 D4 E4",
    "Cmaj7": "E3 G3 B3 E4",
    "Dsus4": "A3 D4 G4",
    "D": "A3 D4 F#4",
    "C": "G3 C4 E4 G4",
    "D high": "A3 D4 F#4 A4",
    "Bm7": "A3 B3 D4 F#4",
    "Am7": "A3 C4 E4 G4",
    "last": "G2 G3 B3 D4 G4 B4",
}

# bar: pattern, chord of the first half, chord of the second half
CHORDS = """
1: broken, Gadd9, Gadd9
2: broken, Cadd9, Cadd9
3: pushed, G, G
4: pushed, Em7, Em7
5: pushed, Cmaj7, Cmaj7
6: pushed, Dsus4, D
7: driving, C, C
8: driving, D high, Bm7
9: driving, Am7, Bm7
10: driving, C, D high
11: pushed, G, D
12: pushed, Em7, D
13: held, last, last
"""

KICK, STICK, SNARE, HAT, OPEN_HAT = 36, 37, 38, 42, 46
CRASH, RIDE, HIGH_TOM, MID_TOM, FLOOR_TOM = 49, 51, 50, 47, 43

VERSE_GROOVE = "kick 1 2.5 3, snare 2 4, ghost 2.75, hat 1 1.5 2 2.5 3 3.5 4 4.5"
LIFT_GROOVE = "kick 1 1.5 3 3.5, snare 2 4, ghost 4.25, ride 1 1.5 2 2.5 3 3.5 4 4.5"
DRUMS = f"""
1: kick 1, hat 1 1.5 2 2.5 3 3.5 4 4.5
2: kick 1, stick 2, hat 1 1.5 2 2.5 3, snare 3.5 4 4.25, high 4.5, floor 4.75
3: crash 1, {VERSE_GROOVE}
4: kick 1 2.5 3, snare 2 4, ghost 2.75, hat 1 1.5 2 2.5 3 3.5 4, open 4.5
5: {VERSE_GROOVE}
6: kick 1 2.5 3, snare 2 3.75 4 4.25, high 4.5, floor 4.75, hat 1 1.5 2 2.5 3 3.5
7: crash 1, {LIFT_GROOVE}
8: {LIFT_GROOVE}
9: {LIFT_GROOVE}
10: kick 1 1.5 3, snare 2 3 3.25, high 3.5 3.75, mid 4 4.25, floor 4.5 4.75, ride 1 1.5 2 2.5
11: crash 1, {VERSE_GROOVE}
12: kick 1 2.5 3, snare 2 3.5 4 4.25 4.5, floor 4.75, hat 1 1.5 2 2.5
13: crash 1, kick 1
"""
DRUM_VOICES = {
    "kick": (KICK, 102),
    "stick": (STICK, 84),
    "snare": (SNARE, 100),
    "ghost": (SNARE, 30),
    "hat": (HAT, 72),
    "open": (OPEN_HAT, 80),
    "ride": (RIDE, 78),
    "crash": (CRASH, 96),
    "high": (HIGH_TOM, 92),
    "mid": (MID_TOM, 94),
    "floor": (FLOOR_TOM, 98),
}


@dataclass(frozen=True, slots=True)
class ScoredNote:
    """A note as written: beats from the start of the song, before anyone plays it."""

    at_beat: float
    pitch: int
    length_beats: float
    velocity: int


@dataclass(frozen=True, slots=True)
class Player:
    """Who plays a part: the sound, the level in the mix and the habit of timing and touch."""

    name: str
    program: int
    is_drum: bool
    gain: float
    pan: int  # MIDI, 64 is the middle
    lays_back_s: float
    loose_s: float
    touch: int


PLAYERS = (
    Player("Drums", 0, True, 1.0, 64, 0.0, 0.002, 4),
    Player("Bass", 33, False, 0.75, 64, 0.001, 0.003, 4),
    Player("Keys", 0, False, 1.05, 48, 0.0, 0.003, 5),
    Player("Lead", 27, False, 1.3, 84, 0.002, 0.0035, 5),
)


def score() -> dict[str, list[ScoredNote]]:
    """Return the written notes of each part, by the player's name."""
    return {
        "Drums": list(_drums()),
        "Bass": list(_line(BASS, accent=98, weak=86)),
        "Keys": list(_keys()),
        "Lead": list(_line(LEAD, accent=96, weak=84)),
    }


def perform(notes: list[ScoredNote], player: Player, chance: Random) -> Track:
    """Play the written notes: a little early or late, never two strokes of the same weight.

    The first stroke of the song stays exactly at 0 s, where bar 1 begins.
    """
    tempo = constant_tempo(BPM)
    played = []
    for note in notes:
        drift_s = player.lays_back_s + chance.gauss(0.0, player.loose_s)
        drift_s = max(-MAX_OFF_GRID_S, min(MAX_OFF_GRID_S, drift_s)) if note.at_beat > 0 else 0.0
        onset_s = tempo.beats_to_seconds(note.at_beat) + drift_s
        offset_s = tempo.beats_to_seconds(note.at_beat + note.length_beats) + drift_s
        velocity = round(note.velocity + chance.uniform(-player.touch, player.touch))
        velocity = max(1, min(127, velocity))
        played.append(
            NoteEvent(
                onset_s, note.pitch, offset_s, velocity, player.program, is_drum=player.is_drum
            )
        )
    return Track(player.name, tuple(played), player.program, player.is_drum)


def tracks() -> tuple[Track, ...]:
    """Return the performance, the same at every call."""
    written = score()
    chance = Random(13)
    return tuple(perform(written[player.name], player, chance) for player in PLAYERS)


def _bars(text: str) -> Iterator[tuple[int, str]]:
    for line in text.strip().splitlines():
        bar, content = line.split(":")
        yield int(bar), content


def _beat(bar: int, beat: str | float) -> float:
    return (bar - 1) * BEATS_PER_BAR + float(beat) - 1


def _pitch(name: str) -> int:
    match = re.fullmatch(r"([A-G])(#?)(\d)", name)
    if match is None:
        raise ValueError(f"'{name}' is not a note name")
    letter, sharp, octave = match.groups()
    return (
        12 * (int(octave) + 1)
        + {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter]
        + bool(sharp)
    )


def _dynamics(bar: int) -> int:
    """Return how much louder than the verse a bar is played: soft intro, lift, last chord."""
    if bar <= 2:
        return -14 + 4 * bar
    return 8 if 7 <= bar <= 10 else 0


def _line(text: str, *, accent: int, weak: int) -> Iterator[ScoredNote]:
    for bar, content in _bars(text):
        for word in content.split(","):
            beat, pitch, length = word.split()
            velocity = accent if float(beat) in (1.0, 3.0) else weak
            yield ScoredNote(
                _beat(bar, beat), _pitch(pitch), float(length), velocity + _dynamics(bar)
            )


def _keys() -> Iterator[ScoredNote]:
    for bar, content in _bars(CHORDS):
        pattern, first, second = (word.strip() for word in content.split(","))
        halves = [[_pitch(name) for name in VOICINGS[chord].split()] for chord in (first, second)]
        velocity = 76 + _dynamics(bar)
        if pattern == "broken":
            for eighth, step in enumerate((0, 1, 2, 3, 2, 1, 2, 3)):
                beat = _beat(bar, 1 + eighth / 2)
                length = min(1.5, _beat(bar + 1, 1) - beat)
                yield ScoredNote(
                    beat, halves[eighth // 4][step], length, velocity + (step == 0) * 8
                )
            continue
        for beat_in_bar, length, weight in _COMPING[pattern]:
            for pitch in halves[0 if beat_in_bar < 3 else 1]:
                yield ScoredNote(_beat(bar, beat_in_bar), pitch, length, velocity + weight)


_COMPING = {
    "pushed": ((1, 1.4, 6), (2.5, 0.45, -8), (3, 0.9, 2), (4, 0.45, -4), (4.5, 0.45, -10)),
    "driving": ((1, 0.9, 6), (2, 0.8, -6), (3, 0.9, 3), (4, 0.8, -6)),
    "held": ((1, 3.5, 6),),
}


def _drums() -> Iterator[ScoredNote]:
    for bar, content in _bars(DRUMS):
        for word in content.split(","):
            voice, *beats = word.split()
            pitch, velocity = DRUM_VOICES[voice]
            for beat in beats:
                is_off_beat = float(beat) % 1 != 0
                softer = 16 if is_off_beat and voice in ("hat", "ride") else 0
                louder = _dynamics(bar) if voice != "ghost" else 0
                yield ScoredNote(_beat(bar, beat), pitch, 0.2, velocity - softer + louder)


def midi_file(parts: tuple[Track, ...]) -> mido.MidiFile:
    """Return the parts as a type-1 file that ends on the last bar line."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    heading = mido.MidiTrack()
    heading.append(mido.MetaMessage("track_name", name="Demo song"))
    heading.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(BPM)))
    heading.append(mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4))
    heading.append(mido.MetaMessage("key_signature", key="G"))
    file.tracks.append(heading)
    for number, track in enumerate(parts):
        file.tracks.append(_midi_track(track, DRUM_CHANNEL if track.is_drum else number))
    return file


def _midi_track(track: Track, channel: int) -> mido.MidiTrack:
    tempo = constant_tempo(BPM)
    pan = next(player.pan for player in PLAYERS if player.name == track.name)
    timed = [
        (0, mido.Message("program_change", channel=channel, program=track.program)),
        (0, mido.Message("control_change", channel=channel, control=10, value=pan)),
    ]
    for note in track.notes:
        for at_s, kind, velocity in (
            (note.onset_s, "note_on", note.velocity),
            (note.offset_s, "note_off", 0),
        ):
            tick = round(tempo.seconds_to_beats(at_s) * TICKS_PER_BEAT)
            timed.append(
                (tick, mido.Message(kind, channel=channel, note=note.pitch, velocity=velocity))
            )
    # A note that ends where the next of its pitch begins must end first.
    timed.sort(key=lambda item: (item[0], item[1].type == "note_on"))
    written = mido.MidiTrack([mido.MetaMessage("track_name", name=track.name)])
    last_tick = 0
    for tick, message in timed:
        written.append(message.copy(time=tick - last_tick))
        last_tick = tick
    song_end = BARS * BEATS_PER_BAR * TICKS_PER_BEAT
    written.append(mido.MetaMessage("end_of_track", time=song_end - last_tick))
    return written


def render(part: Track, soundfont: Path) -> npt.NDArray[np.float64]:
    """Return the part as samples [sample, channel] of the whole song, played by FluidSynth."""
    with tempfile.TemporaryDirectory() as folder:
        score_path, sound_path = Path(folder, "part.mid"), Path(folder, "part.wav")
        midi_file((part,)).save(score_path)
        command = [
            *("fluidsynth", "-ni", "-q", "-g", "0.5", "-C", "0", "-R", "1", "-O", "float"),
            *("-o", "synth.dynamic-sample-loading=1", "-o", "synth.reverb.room-size=0.35"),
            *("-o", "synth.reverb.level=0.35", "-o", "synth.reverb.damp=0.4"),
            *("-r", str(SAMPLE_RATE), "-F", str(sound_path), str(soundfont), str(score_path)),
        ]
        subprocess.run(command, check=True)
        played, _ = soundfile.read(sound_path, always_2d=True)
    song = np.zeros((round(SONG_S * SAMPLE_RATE), 2))
    heard = played[: len(song)]
    song[: len(heard)] = heard
    fade = round(FADE_OUT_S * SAMPLE_RATE)
    song[-fade:] *= np.cos(np.linspace(0.0, np.pi / 2, fade))[:, np.newaxis] ** 2
    return song


def write_demo(folder: Path, soundfont: Path) -> None:
    """Write four mono stems, the stereo mix whose middle is their sum, and the true notes."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = tracks()
    stems = [
        render(part, soundfont) * player.gain for part, player in zip(parts, PLAYERS, strict=True)
    ]
    to_peak = PEAK / float(np.abs(np.sum(stems, axis=0)).max())
    for player, stem in zip(PLAYERS, stems, strict=True):
        mono = stem.mean(axis=1) * to_peak
        soundfile.write(folder / f"{player.name.lower()}.flac", mono, SAMPLE_RATE, "PCM_16")
    mix = np.sum(stems, axis=0) * to_peak
    with soundfile.SoundFile(folder / "mix.ogg", "w", SAMPLE_RATE, 2, compression_level=0.5) as ogg:
        # One long write overflows the stack of the Vorbis encoder.
        for start in range(0, len(mix), SAMPLE_RATE):
            ogg.write(mix[start : start + SAMPLE_RATE])
    midi_file(parts).save(folder / "song.mid")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--soundfont", type=Path, required=True)
    arguments = parser.parse_args()
    write_demo(arguments.out, arguments.soundfont)


if __name__ == "__main__":
    main()
