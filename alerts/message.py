"""The neutral message: what is said, before anybody decides how it looks.

Composers build it, renderers draw it, nothing in it knows Slack, terminals or HTML. All text is plain: a
renderer escapes it for its medium. The outbox keeps it as JSON (`model_dump`, `model_validate`), so a field that
comes later has a default: messages of yesterday still load.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """A paragraph."""

    part: Literal["text"] = "text"
    text: str
    strong: bool = False


class Table(Part):
    """A table: `columns` are headers, `rows` cells of text; `caption` says what it shows (alternative text).

    `references` leads from each row to its definition and its query: one command a row, such as
    `uptake kpi adoption --from 2026-11-09 --to 2026-11-15 --team Claims --explain` (empty for a row without
    one), or none at all.
    """

    part: Literal["table"] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    references: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_a_row(self) -> Self:
        if self.references and len(self.references) != len(self.rows):
            raise ValueError(f"{len(self.references)} references for {len(self.rows)} rows")
        return self


class Series(Part):
    """One line of a chart, or one bar a label; a None is a gap, not 0."""

    name: str
    values: tuple[float | None, ...]


class Chart(Part):
    """Lines over equal steps, or bars a label. `summary` is its alternative text.

    Values of `unit` "share" are fractions and drawn as per cent, of "money" whole units of `currency` (ISO 4217).
    """

    part: Literal["chart"] = "chart"
    kind: Literal["line", "bar"] = "line"
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: Literal["share", "count", "money"] = "share"
    currency: str = ""
    summary: str


class Actions(Part):
    """Things to do, in order of weight."""

    part: Literal["actions"] = "actions"
    title: str
    items: tuple[str, ...]


class Button(Part):
    """A decision a reader can take. `action` and `value` identify it to the gateway."""

    label: str
    action: str
    value: str
    style: Literal["default", "primary", "danger"] = "default"


class Buttons(Part):
    part: Literal["buttons"] = "buttons"
    buttons: tuple[Button, ...]


class Footer(Part):
    """Small print: how far to trust what stands above."""

    part: Literal["footer"] = "footer"
    text: str


Block = Annotated[Text | Table | Chart | Actions | Buttons | Footer, Field(discriminator="part")]


class Message(Part):
    """One message about one fact. `identity` is the fact's; `summary` is the one-line notification text.

    `notice` is what a reader must see before anything else, such as what a restatement changed. `details` is what
    stands behind the message: the thread in Slack, below a heading elsewhere. Slack draws two charts a message.
    """

    identity: str
    kind: Literal["digest", "budget", "finding"]
    cadence: Literal["weekly", "monthly", "quarterly"] = "weekly"
    tenant: str
    locale: Literal["en", "fr"] = "en"
    title: str
    summary: str
    notice: str = ""
    blocks: tuple[Block, ...]
    details: tuple[Block, ...] = ()
