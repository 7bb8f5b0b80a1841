"""`python -m healer` is `healer`."""

import sys

from healer.cli import main

if __name__ == "__main__":
    sys.exit(main())
