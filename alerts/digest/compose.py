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
from uptake.alerts.digest.footer import footer
from uptake.alerts.digest.inputs import DigestInputs
from uptake.alerts.digest.knowing import not_compared, only_known
from uptake.alerts.digest.names import reference, short
from uptake.alerts.digest.shape import shown
from uptake.alerts.digest.verdict import verdict
from uptake.alerts.message import Actions, Block, Footer, Message, Table, Text
from uptake.alerts.phrases import say
from uptake.sql.results import KpiResult
from uptake.stats import Change


def compose(inputs: DigestInputs, now: datetime) -> Message:
    """The message. Raises UsageError for a period that is not closed at `now`."""
    organisation, locale = inputs.organisation, inputs.locale
    require_closed(inputs.span, organisation, now)
    inputs, why = only_known(inputs), not_compared(inputs)
    changes = compare(inputs)
    because = causes(inputs, changes)
    said = verdict(inputs, changes, because)
    blocks: list[Block] = [Text(text=said, strong=True)]
    if why:
        blocks.append(Text(text=why))
    blocks.append(_table(inputs, changes, because, comparing=not why))
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
        month=formats.month_of_year(inputs.period.first, locale),
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


def _table(
    inputs: DigestInputs, changes: Mapping[str, Change], because: Mapping[str, str], *, comparing: bool
) -> Table:
    locale = inputs.locale
    earlier = short(inputs.span.shift(-1), locale)
    headings = (
        say("digest.kpi", locale),
        say(f"digest.value.{inputs.cadence}", locale),
        say("digest.target", locale),
        say("digest.change", locale, week=earlier),
    )
    names = [name for name in shown(inputs.cadence, inputs.kind, new=inputs.new) if name in inputs.this]
    silent = [name for name in names if _is_silent(inputs.this[name])]
    if len(silent) > 1:  # one line together: six of them would say nothing six times
        names = [name for name in names if name not in silent]
    rows = [
        (
            say(f"kpi.{name}", locale),
            *cells(
                name,
                inputs.this[name],
                inputs.before.get(name),
                earlier if comparing else "",
                locale,
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
    ]
    references = [reference(name, inputs) for name in names]
    if len(silent) > 1:
        first, *others = (say(f"kpi.{name}", locale) for name in silent)
        rows.append(
            (", ".join([first, *map(formats.uncapital, others)]), say("cell.no_data", locale), "–", "–")
        )
        references.append("")
    caption = say(f"digest.caption.{inputs.cadence}", locale)
    return Table(caption=caption, columns=headings, rows=tuple(rows), references=tuple(references))


def _is_silent(result: KpiResult) -> bool:
    """Whether there is nothing that a figure could speak of: a group that is hidden has something."""
    if result.kpi == "wasted_spend" and not result.extras.get("decided_nano"):
        return not result.value  # nobody decided: nothing rejected is not nothing wasted
    return result.value is None and not (result.hidden or result.suppressed)
