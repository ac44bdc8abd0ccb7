"""What holds for all tests."""

import os

from hypothesis import settings

# No time limit per example: a busy machine is not a failure. Continuous integration tries the same
# examples each time; everyone else looks for new ones.
settings.register_profile("notewright", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("notewright")
