"""Tables of the state store. Times are integers: UTC microseconds since the epoch.

api_keys   who may send events, for which tenant
facts      what has been said: one row per fact, its identity is the primary key
outbox     what is being said: one row per message and channel, delivered and edited under a lease
findings   unauthorised uses and where they stand
budgets    the last evaluation of each budget: when, on what value, in what state
marks      small named values (roster generation, last tick, last audit, the version of these tables)
drafts     digests as they were composed, with what they were made of: see `alerts.drafts`
leases     which of several processes is the active one: its owner keeps raising `beat`

A column that comes later is added here, for new stores, and in `migrate`, for those that are there.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hmac", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

facts = Table(
    "facts",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("facts_by_kind", "tenant", "kind", "at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("identity", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("message", JSON, nullable=False),
    Column("status", Text, nullable=False),  # pending, sending, ambiguous, sent, restating, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("not_before", BigInteger, nullable=False),
    Column("leased_until", BigInteger, nullable=False, default=0),
    Column("lease_owner", Text, nullable=False, default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("reference", Text, nullable=False, default=""),  # Slack's ts, or the file
    Column("last_error", Text, nullable=False, default=""),
    Column("revision", Integer, nullable=False, default=1),  # of `message`; a restatement is the next one
    Column("shown", Integer, nullable=False, default=0),  # the revision that every post of it shows
    Column("posted", JSON, nullable=False, default=dict),  # where its posts are: see `alerts.letter.Posted`
    Column("original", JSON),  # the message before it was first restated
    Column("restated_at", BigInteger),
    UniqueConstraint("identity", "channel", name="one_message_per_fact_and_channel"),
)

findings = Table(
    "findings",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("status", Text, nullable=False),  # open, resolved
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("findings_by_tenant", "tenant", "status"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("budget", Text, primary_key=True),
    Column("evaluated_at", BigInteger, nullable=False),
    Column("detail", JSON, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("at", BigInteger, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("made_of", Text, nullable=False),
    Column("message", JSON, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("drafts_by_age", "tenant", "at"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("beat", BigInteger, nullable=False),
)
