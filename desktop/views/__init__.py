"""Widgets: they paint and pass on what the user does."""
