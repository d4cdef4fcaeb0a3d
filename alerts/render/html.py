"""Messages as one self-contained HTML page: no script, no network, readable on a phone, on paper, in the dark."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib.resources import files

from uptake.alerts.message import Actions, Block, Buttons, Chart, Footer, Message, Table, Text
from uptake.alerts.render import chart
from uptake.alerts.render.plain import clean, line

_KINDS = {
    "en": {"digest": "Weekly digest", "budget": "Budget", "finding": "Unauthorised use"},
    "fr": {"digest": "Point hebdomadaire", "budget": "Budget", "finding": "Usage non autorisé"},
}


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
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{_line(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
{intro}
{articles}
</main>
</body>
</html>
"""


def article(message: Message, anchor: str, level: int = 2) -> str:
    """One message. `anchor` is its id on the page, `level` its heading's."""
    blocks = "\n".join(_block(block, f"{anchor}-{n}", level + 1) for n, block in enumerate(message.blocks, 1))
    return (
        f'<article id="{anchor}" lang="{message.locale}" class="{message.kind}" aria-labelledby="{anchor}-title">\n'
        f'<p class="kind">{_KINDS[message.locale][message.kind]}</p>\n'
        f'<h{level} id="{anchor}-title">{_line(message.title)}</h{level}>\n{blocks}\n</article>'
    )


def _block(block: Block, anchor: str, level: int) -> str:
    match block:
        case Text(text=text, strong=strong):
            return f'<p class="{"verdict" if strong else "text"}">{_lines(text)}</p>'
        case Table():
            return _table(block)
        case Chart():
            summary = f"<figcaption><strong>{_line(block.title)}</strong> {_line(block.summary)}</figcaption>"
            return f"<figure>{chart.svg(block, anchor)}{summary}</figure>"
        case Actions(title=title, items=items):
            listed = "".join(f"<li>{_line(item)}</li>" for item in items)
            return f'<section class="actions"><h{level}>{_line(title)}</h{level}><ol>{listed}</ol></section>'
        case Footer(text=text):
            return f"<footer>{_lines(text)}</footer>"
        case Buttons():
            return ""


def _table(table: Table) -> str:
    """On a phone the rows become cards (CSS), so each cell carries its column's name, and roles stay explicit."""
    names = [_line(name) for name in table.columns]
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in names)
    rows = []
    for row in table.rows:
        first = f'<th scope="row" role="rowheader">{_line(row[0])}</th>'
        rest = "".join(
            f'<td role="cell" data-label="{name}">{_line(cell)}</td>'
            for name, cell in zip(names[1:], row[1:], strict=False)
        )
        rows.append(f'<tr role="row">{first}{rest}</tr>')
    return (
        f'<table role="table"><caption>{_line(table.caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(rows)}</tbody></table>'
    )


def _line(text: str) -> str:
    return html.escape(line(text), quote=True)


def _lines(text: str) -> str:
    return "<br>".join(html.escape(part, quote=True) for part in clean(text).split("\n"))
