"""The neutral message: what is said, before anybody decides how it looks.

Composers build it, renderers draw it, nothing in it knows Slack, terminals or HTML. All text is plain: a
renderer escapes it for its medium. The outbox keeps it as JSON (`model_dump`, `model_validate`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """A paragraph."""

    part: Literal["text"] = "text"
    text: str
    strong: bool = False


class Table(Part):
    """A table: `columns` are headers, `rows` cells of text; `caption` says what it shows (alternative text)."""

    part: Literal["table"] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Series(Part):
    """One line of a chart; a None is a gap, not 0."""

    name: str
    values: tuple[float | None, ...]


class Chart(Part):
    """A line chart over equal steps; `unit` "share" draws per cent. `summary` is its alternative text."""

    part: Literal["chart"] = "chart"
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: Literal["share", "count", "money"] = "share"
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
    """One message about one fact. `identity` is the fact's; `summary` is the one-line notification text."""

    identity: str
    kind: Literal["digest", "budget", "finding"]
    tenant: str
    locale: Literal["en", "fr"] = "en"
    title: str
    summary: str
    blocks: tuple[Block, ...]
