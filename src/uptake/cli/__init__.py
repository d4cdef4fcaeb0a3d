"""The command line: `uptake …`.

Exit codes: 0 done · 1 failed · 2 the command or a file it names is wrong · 3 the workspace has errors ·
4 something that is needed does not answer (trying again is safe). See `uptake.errors`.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `uptake` script."""
    try:
        from uptake.cli.app import run
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("uptake"):
            raise
        # The base install is the SDK; the service is an extra.
        print(f"error: the service is not installed ({missing.name} is missing)", file=sys.stderr)  # noqa: T201
        print("hint: pip install 'uptake[service]'", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    sys.exit(run())
