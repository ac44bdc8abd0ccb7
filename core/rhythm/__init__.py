"""Tempo, meter and downbeats found from the audio and the notes."""
