"""Dead letters as they are found: in the table, and in the topic."""

from __future__ import annotations

import hashlib
import json
import time
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition

from uptake_chaos.ask import Asker

READ_SECONDS = 30.0


class Letter(NamedTuple):
    """What identifies a dead letter: whose, why, and a hash of what was refused."""

    tenant: str
    reason: str
    digest: str


def letter(tenant: str, reason: str, payload: bytes) -> Letter:
    return Letter(tenant, reason, hashlib.sha256(payload).hexdigest()[:24])


def letters_of_table(asker: Asker) -> set[Letter]:
    """Raises Unanswered."""
    rows = asker.rows("SELECT tenant, reason, payload FROM dead_letters FINAL")
    return {letter(row["tenant"], row["reason"], row["payload"].encode()) for row in rows}


def letters_of_topic(bootstrap: str, topic: str) -> set[Letter]:
    """All letters that the topic holds, from its first record to its last."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found: set[Letter] = set()
        deadline = time.monotonic() + READ_SECONDS
        while any(consumer.position(place) < ends[place] for place in places):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the dead letters could not be read in {READ_SECONDS:g} s")
            for records in consumer.poll(500).values():
                for record in records:
                    for one in json.loads(record.value):
                        found.add(letter(one["tenant"], one["reason"], one["payload"].encode()))
        return found
    finally:
        consumer.close()
