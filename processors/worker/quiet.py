"""Faust's, aiokafka's and kafka-python's own logs, through ours: warnings and worse, in one line each."""

from __future__ import annotations

import logging

import structlog

NEIGHBOURS = ("faust", "aiokafka", "mode", "kafka")
MAX_LENGTH = 500

_log = structlog.get_logger(__name__)


class _Bridge(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage().strip().replace("\n", " ")[:MAX_LENGTH]
        level = "error" if record.levelno >= logging.ERROR else "warning"
        getattr(_log, level)("neighbour", of=record.name, said=said)


def tame() -> None:
    """For this process. What they say at these levels names topics, partitions, offsets and brokers, never values."""
    for name in NEIGHBOURS:
        logger = logging.getLogger(name)
        logger.handlers = [_Bridge()]
        logger.setLevel(logging.WARNING)
        logger.propagate = False
