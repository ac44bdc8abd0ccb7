"""What holds for all tests."""

import os
import signal
import tempfile
from pathlib import Path

from hypothesis import settings

# No time limit per example: a busy machine is not a failure. Continuous integration tries the same
# examples each time; everyone else looks for new ones.
settings.register_profile("notewright", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("notewright")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and what they start
# would inherit that: tests of Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The models that happen to be installed on this machine must not change what `auto` chooses.
os.environ["MT3_CHECKPOINT_DIR"] = str(Path(tempfile.gettempdir()) / "notewright-without-models")
