"""What holds for all tests."""

from hypothesis import settings

# No time limit per example: a busy machine is not a failure.
settings.register_profile("notewright", deadline=None)
settings.load_profile("notewright")
