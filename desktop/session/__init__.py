"""State and jobs: QtCore, no widgets."""
