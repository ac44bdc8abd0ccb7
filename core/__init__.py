"""Notewright without a screen: audio files in, notes and MIDI files out.

The main path is `core.engine.transcriber.transcribe_file`: read (`audio`), hear (`features`), think
(`models`), name (`codec`), hold (`score`). `rhythm` finds bars and beats over all stems of a song,
`midi` writes the file and `daw` puts it where the DAW looks. `cli` is the whole of it from a
terminal. Read in that order.
"""
