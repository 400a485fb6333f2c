"""`python -m changke` is the `changke` command."""

import sys

from changke.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
