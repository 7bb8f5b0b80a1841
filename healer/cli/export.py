"""`healer export rules|dashboard`: what Prometheus and Grafana read, on stdout."""

import argparse
import sys
from typing import Final

from healer.exports import DASHBOARD, RULES, text

_FILES: Final = {"rules": RULES, "dashboard": DASHBOARD}


def export(arguments: argparse.Namespace) -> int:
    """Print the file."""
    sys.stdout.write(text(_FILES[arguments.what]))
    return 0
