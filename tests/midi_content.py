"""What a MIDI file holds, by absolute ticks, as mido reads it."""

from io import BytesIO

import mido


def parsed(content: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=BytesIO(content), charset="utf-8")


def timed(track: mido.MidiTrack, *types: str) -> list[tuple[int, mido.Message]]:
    """Return (tick, message) of all messages, or of those of the given types."""
    ticks = 0
    found = []
    for message in track:
        ticks += message.time
        if not types or message.type in types:
            found.append((ticks, message))
    return found


def notes(track: mido.MidiTrack) -> list[tuple[int, int, int]]:
    """Return (on tick, off tick, pitch) of each note; fails if one hangs or is struck twice."""
    open_at: dict[int, int] = {}
    found = []
    for ticks, message in timed(track, "note_on", "note_off"):
        if message.type == "note_on" and message.velocity > 0:
            assert message.note not in open_at, f"{message.note} struck twice at {ticks}"
            open_at[message.note] = ticks
        else:
            assert message.note in open_at, f"{message.note} ends at {ticks} but never began"
            found.append((open_at.pop(message.note), ticks, message.note))
    assert not open_at, f"{open_at} hang"
    return sorted(found)


def onsets_s(content: bytes) -> list[float]:
    """Return when each note begins, in seconds of the file, as a player hears it."""
    now_s = 0.0
    found = []
    for message in parsed(content):
        now_s += message.time
        if message.type == "note_on" and message.velocity > 0:
            found.append(now_s)
    return found
