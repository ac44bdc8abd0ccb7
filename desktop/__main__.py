"""Start the window: `python -m desktop [files]`."""

import multiprocessing
import sys


def main() -> int:
    """Show the window until it is closed; return the exit status."""
    multiprocessing.freeze_support()  # a frozen worker process enters here and goes no further
    # The worker's main module is this one: what it does not need is imported only here.
    from desktop.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
