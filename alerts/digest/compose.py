"""A digest: a closed period's figures become one message for one audience. Pure.

One verdict first; a number never stands without its denominator or interval; "clear change" is a test; what is
not known says so. The thread holds what stands behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from uptake.alerts import formats
from uptake.alerts.digest.actions import Known, do_next
from uptake.alerts.digest.cadence import identity, require_closed
from uptake.alerts.digest.cells import cells
from uptake.alerts.digest.changes import compare
from uptake.alerts.digest.chart import draw
from uptake.alerts.digest.details import details
from uptake.alerts.digest.explain import causes
from uptake.alerts.digest.footer import compared, footer, not_compared
from uptake.alerts.digest.inputs import DigestInputs
from uptake.alerts.digest.names import reference, short
from uptake.alerts.digest.shape import shown
from uptake.alerts.digest.verdict import verdict
from uptake.alerts.message import Actions, Block, Footer, Message, Table, Text
from uptake.alerts.phrases import say
from uptake.stats import Change


def compose(inputs: DigestInputs, now: datetime) -> Message:
    """The message. Raises UsageError for a period that is not closed at `now`."""
    organisation, locale = inputs.organisation, inputs.locale
    require_closed(inputs.span, organisation, now)
    changes = compare(inputs)
    because = causes(inputs, changes)
    said = verdict(inputs, changes, because)
    blocks: list[Block] = [Text(text=said, strong=True), _table(inputs, changes, because)]
    actions = do_next(
        inputs.jumps,
        inputs.findings,
        inputs.idle,
        organisation.currency,
        locale,
        inputs.registered,
        inputs.budgets,
        Known(inputs.this, inputs.by_team.get("seats", ({}, {}))[1], inputs.targets, inputs.reasons),
    )
    if actions:
        blocks.append(Actions(title=say("next.title", locale), items=tuple(actions)))
    chart = draw(inputs)
    if chart is not None:
        blocks.append(chart)
    blocks.append(Footer(text=footer(inputs)))
    title = say(
        f"digest.title.{inputs.cadence}",
        locale,
        audience=inputs.audience.name,
        week=inputs.span,
        days=formats.days(inputs.period, locale),
        zone=organisation.zone,
    )
    return Message(
        identity=identity(organisation.tenant, inputs.audience.audience, inputs.span),
        kind="digest",
        cadence=inputs.cadence,
        tenant=organisation.tenant,
        locale=locale,
        title=title,
        summary=said,
        blocks=tuple(blocks),
        details=details(inputs),
    )


def _table(inputs: DigestInputs, changes: Mapping[str, Change], because: Mapping[str, str]) -> Table:
    locale = inputs.locale
    earlier = short(inputs.span.shift(-1), locale)
    headings = (
        say("digest.kpi", locale),
        say(f"digest.value.{inputs.cadence}", locale),
        say("digest.target", locale),
        say("digest.change", locale, week=earlier),
    )
    names = [name for name in shown(inputs.cadence, inputs.kind, new=inputs.new) if name in inputs.this]
    # Where nothing at all is compared, the footer says why, once.
    unknown_before = not_compared(inputs) if compared(inputs) else ""
    rows = tuple(
        (
            say(f"kpi.{name}", locale),
            *cells(
                name,
                inputs.this[name],
                inputs.before.get(name),
                earlier,
                locale,
                unknown_before=unknown_before,
                change=changes.get(name),
                pairs=inputs.pairs,
                target=inputs.targets.get(name),
                budgets=inputs.budgets,
                forecasts=inputs.forecasts,
                findings=(inputs.new_findings, inputs.known_findings),
                because=because.get(name, ""),
            ),
        )
        for name in names
    )
    caption = say(f"digest.caption.{inputs.cadence}", locale)
    references = tuple(reference(name, inputs) for name in names)
    return Table(caption=caption, columns=headings, rows=rows, references=references)
