"""`python -m bcrabl`: the command `bcrabl`."""

from __future__ import annotations

import sys

from bcrabl.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
