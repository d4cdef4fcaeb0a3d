"""Messages as one self-contained HTML page: no script, no network, readable on a phone, on paper, in the dark.

What is shown on demand (`<details>`) is open on paper. Each chart has its figures below it as a table, for those who
cannot see it and for those who want to copy them.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib.resources import files

from uptake.alerts.formats import Language
from uptake.alerts.message import Actions, Block, Buttons, Chart, Footer, Message, Table, Text
from uptake.alerts.render import chart
from uptake.alerts.render.plain import clean, isolate, line, runs
from uptake.alerts.render.text import cells, written
from uptake.alerts.render.words import (
    contents_word,
    details_word,
    figures_word,
    kind_word,
    references_word,
)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

MANY = 3
"""So many messages or more have a list of contents."""

FEW, ROOMY = 4, 8
"""Columns up to which a table of key figures keeps its values on one line, and above which any is set smaller."""

_NOTHING = ' class="none"'
"""A cell in which nothing stands: left out where rows are cards."""


def page(messages: Sequence[Message], title: str, lead: str = "") -> str:
    """A whole document with the messages in the order given."""
    locale = messages[0].locale if messages else "en"
    style = files("uptake.alerts.render").joinpath("page.css").read_text(encoding="utf-8")
    several = len(messages) > 1
    intro = (
        f"<header><h1>{_line(title)}</h1>{f'<p>{_line(lead)}</p>' if lead else ''}</header>"
        if several
        else ""
    )
    articles = "\n".join(article(m, f"m{n}", 2 if several else 1) for n, m in enumerate(messages, 1))
    return f"""<!doctype html>
<html lang="{locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{_attribute(title)}</title>
<style>
{style}</style>
</head>
<body>
{intro}
{_contents(messages, locale) if len(messages) >= MANY else ""}
<main>
{articles}
</main>
</body>
</html>
"""


def article(message: Message, anchor: str, level: int = 2) -> str:
    """One message. `anchor` is its id on the page, `level` its heading's."""
    kind = message.cadence if message.kind == "digest" else message.kind
    notice = f'<p class="notice" role="note">{_line(message.notice)}</p>\n' if message.notice else ""
    blocks = _blocks(message.blocks, anchor, level + 1, message)
    return (
        f'<article id="{anchor}" lang="{message.locale}" class="{message.kind}" aria-labelledby="{anchor}-title">\n'
        f'{notice}<p class="kind">{kind_word(kind, message.locale)}</p>\n'
        f'<h{level} id="{anchor}-title">{_line(message.title)}</h{level}>\n'
        f"{blocks}{_details(message, anchor, level + 1)}\n</article>"
    )


def _contents(messages: Sequence[Message], locale: Language) -> str:
    listed = "".join(
        f'<li lang="{m.locale}"><a href="#m{n}">{_line(m.title)}</a></li>' for n, m in enumerate(messages, 1)
    )
    word = contents_word(locale)
    return f'<nav aria-label="{word}"><details><summary>{word}</summary><ol>{listed}</ol></details></nav>'


def _details(message: Message, anchor: str, level: int) -> str:
    if not message.details:
        return ""
    blocks = _blocks(message.details, f"{anchor}-d", level + 1, message)
    name = f"{anchor}-details"
    return (
        f'\n<section class="details" aria-labelledby="{name}">'
        f'<h{level} id="{name}">{details_word(message.locale)}</h{level}>\n{blocks}</section>'
    )


def _blocks(blocks: Iterable[Block], anchor: str, level: int, message: Message) -> str:
    return "\n".join(
        _block(block, f"{anchor}-{n}", level, message.locale) for n, block in enumerate(blocks, 1)
    )


def _block(block: Block, anchor: str, level: int, locale: Language) -> str:
    match block:
        case Text(text=text, strong=strong):
            return f'<p class="{"verdict" if strong else "text"}">{_lines(text)}</p>'
        case Table():
            return _table(block) + _references(block, locale)
        case Chart():
            summary = f"<figcaption><strong>{_line(block.title)}</strong> {_line(block.summary)}</figcaption>"
            return f"<figure>{summary}{chart.svg(block, anchor, locale)}{_figures(block, locale)}</figure>"
        case Actions(title=title, items=items):
            listed = "".join(f"<li>{_line(item)}</li>" for item in items)
            return (
                f'<section class="actions" aria-labelledby="{anchor}-title"><h{level} id="{anchor}-title">'
                f"{_line(title)}</h{level}><ol>{listed}</ol></section>"
            )
        case Footer(text=text):
            return f"<footer>{_lines(text)}</footer>"
        case Buttons():
            return ""


def _table(table: Table) -> str:
    """On a phone the rows become cards (CSS), so each cell carries its column's name, and roles stay explicit."""
    names, *rows = cells(table)
    head = "".join(
        f'<th scope="col" role="columnheader">{_line(name)}</th>' if name else "<td></td>" for name in names
    )
    body = []
    for row in rows:
        first = f'<th scope="row" role="rowheader">{_line(row[0])}</th>'
        rest = "".join(
            f'<td role="cell"{_NOTHING if cell == "–" else ""} data-label="{_attribute(name)}">{_line(cell)}</td>'
            for name, cell in zip(names[1:], row[1:], strict=True)
        )
        body.append(f'<tr role="row">{first}{rest}</tr>')
    key_figures = bool(table.references) and len(names) <= FEW
    width = "few" if key_figures else "many" if len(names) > ROOMY else ""
    named = f' class="{width}"' if width else ""
    return (
        f'<table role="table"{named}><caption>{_line(table.caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(body)}</tbody></table>'
    )


def _references(table: Table, locale: Language) -> str:
    """From each figure to its definition and its query: shown on demand."""
    listed = "".join(
        f"<dt>{_line(row[0])}</dt><dd><code>{_line(command)}</code></dd>"
        for row, command in zip(table.rows, table.references, strict=False)
        if command
    )
    word = references_word(locale)
    return f"\n<details><summary>{word}</summary><dl>{listed}</dl></details>" if listed else ""


def _figures(block: Chart, locale: Language) -> str:
    """The chart's figures as a table."""
    known = [
        ["–" if value is None else written(block, value, locale) for value in series.values]
        for series in block.series
    ]
    rows = tuple(zip(block.labels, *known, strict=True))
    columns = ("", *(s.name for s in block.series))
    if not rows or not block.series:
        return ""
    table = _table(Table(caption=block.title, columns=columns, rows=rows))
    return f"<details><summary>{figures_word(locale)}</summary>{table}</details>"


def _line(text: str) -> str:
    return _marked(line(text))


def _lines(text: str) -> str:
    return "<br>".join(_marked(part) for part in clean(text).split("\n"))


def _marked(text: str) -> str:
    """Escaped; what is written from right to left is kept from moving what stands beside it."""
    return "".join(
        f"<bdi>{html.escape(part)}</bdi>" if turned else html.escape(part) for part, turned in runs(text)
    )


def _attribute(text: str) -> str:
    """For a place that takes no markup."""
    return html.escape(isolate(line(text)))
