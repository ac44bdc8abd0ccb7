"""Notewright without a screen: audio files in, notes and MIDI files out.

The main path is `core.song.transcribe_song`: for each file `engine.transcriber.Transcriber` reads
(`audio`), hears (`features`), thinks (`models`) and names (`codec`) its notes; `rhythm` finds bars
and beats over all stems; `score` holds the song. `midi` writes the file and `daw` puts it where the
DAW looks. `cli` is the whole of it from a terminal. Read in that order.
"""
