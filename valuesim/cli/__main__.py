"""`python -m valuesim.cli`, for where the installed command is not at hand."""

import sys

from valuesim.cli import main

sys.exit(main())
