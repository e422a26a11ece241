"""`python -m tickstream.processor.sink`."""

from __future__ import annotations

import sys

from tickstream.processor.sink.main import main

sys.exit(main())
