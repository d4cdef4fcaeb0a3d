"""The harness is a package of its own beside these tests, because `make chaos` runs it without pytest."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
