"""Transport: plays the source and the notes."""
