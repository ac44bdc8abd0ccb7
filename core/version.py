"""The one place that states Notewright's version; pyproject.toml reads it from here."""

VERSION = "0.1.0"
