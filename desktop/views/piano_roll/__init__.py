"""The piano roll: notes over pitch and time."""
