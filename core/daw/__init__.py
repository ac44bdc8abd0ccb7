"""Where each DAW looks for files, how it imports MIDI, and putting it there."""
