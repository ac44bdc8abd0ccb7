"""Numbers to notes; no torch."""
