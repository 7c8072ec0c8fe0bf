"""The command `iterprime`, as `python -m iterprime_ros.cli`."""

import sys

from iterprime_ros.cli import main

sys.exit(main())
