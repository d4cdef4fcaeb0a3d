"""A worker with a bug planted on purpose: it acknowledges records whose usage rows it never wrote.

Run as a process in place of `uptake worker` by test_planted.py. Nothing else is different from the real one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pyarrow as pa

from uptake.cli import main
from uptake.processors.store import Store

FORGOTTEN = (2, 5)
"""Which writes of usage rows are forgotten, counted from 1."""

write = Store.write
writes = 0


def forgetful(self: Store, table: str, batches: Sequence[pa.RecordBatch]) -> None:
    global writes
    writes += table == "usage"
    if table != "usage" or writes not in FORGOTTEN:
        write(self, table, batches)


if __name__ == "__main__":
    Store.write = forgetful  # type: ignore[method-assign]
    sys.argv = ["uptake", "worker"]
    main()
