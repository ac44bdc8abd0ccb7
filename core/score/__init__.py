"""Music: the domain the user sees, edits and saves."""
