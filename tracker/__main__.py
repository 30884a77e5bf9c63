"""``python -m tracker`` is ``track``."""

from tracker.cli import main

if __name__ == "__main__":
    main()
