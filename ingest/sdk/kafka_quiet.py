"""At DEBUG kafka-python writes whole requests to its log: the events, and passwords. Not those of this SDK.

An app that logs everything at DEBUG must not find its users' data there. What the app's own Kafka clients say is the
app's business and stays as it is.
"""

from __future__ import annotations

import logging

CLIENT_ID = "uptake-sdk"
_LOGGERS = ("kafka.producer.kafka", "kafka.producer.sender", "kafka.net.connection")


class _NotOurPayloads(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line may be written. The threads of our producer carry its client id, or are the sender's."""
        if record.levelno > logging.DEBUG:
            return True
        who = record.args[0] if isinstance(record.args, tuple) and record.args else ""
        ours = (record.threadName or "").startswith(("uptake-", f"kafka-io-{CLIENT_ID}"))
        return not ours and not (isinstance(who, str) and f"client_id={CLIENT_ID} " in who)


_FILTER = _NotOurPayloads()


def hush() -> None:
    """From now on. Doing it again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
