"""Sound: files to samples."""
