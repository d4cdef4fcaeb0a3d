"""Exit code 0 where a URL answers 200, for the health checks of containers without curl: `python healthy.py URL`."""

from __future__ import annotations

import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

TIMEOUT_SECONDS = 4


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: healthy.py URL\n")
        return 2
    opener = build_opener(ProxyHandler({}))  # never through a proxy: this asks the container itself
    try:
        with opener.open(sys.argv[1], timeout=TIMEOUT_SECONDS) as answer:
            return 0 if answer.status == 200 else 1
    except (URLError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
