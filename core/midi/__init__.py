"""Transcription to Standard MIDI File and back."""
