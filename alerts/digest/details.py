"""What stands behind the digest, in its thread: teams, states, reasons, targets, budgets, further figures. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from uptake.alerts import formats
from uptake.alerts.digest.actions import reason_name
from uptake.alerts.digest.cells import short_of
from uptake.alerts.digest.inputs import DigestInputs
from uptake.alerts.digest.names import reference, short
from uptake.alerts.digest.shape import BY_TEAM, OF_NEW_PROGRAMMES, beside
from uptake.alerts.digest.values import compared, forecast_of, value_of
from uptake.alerts.message import Block, Table, Text
from uptake.alerts.phrases import say
from uptake.alerts.targets import Standing
from uptake.sql.results import KpiResult
from uptake.stats import drift, pareto

REASONS_SHOWN = 8
A_YEAR = timedelta(weeks=53)
"""How far the states look back."""


def details(inputs: DigestInputs) -> tuple[Block, ...]:
    return tuple(_blocks(inputs))


def _blocks(inputs: DigestInputs) -> Iterator[Block]:
    yield from _teams(inputs)
    yield from _beside(inputs)
    yield from _parts("lifecycle", inputs)
    yield from _reasons(inputs)
    yield from _targets(inputs)
    yield from _budgets(inputs)


def _teams(inputs: DigestInputs) -> Iterator[Block]:
    locale = inputs.locale
    names = [
        name for name in inputs.by_team if name in (*BY_TEAM[inputs.cadence], *OF_NEW_PROGRAMMES.values())
    ]
    teams = sorted({team for name in names for team in inputs.by_team[name][1] if team})
    if len(teams) < 2:
        return
    rows = []
    for team in teams:
        results = [inputs.by_team[name][1].get(team) for name in names]
        rows.append((team, *("–" if r is None else value_of(r, locale, short=True) for r in results)))
    columns = (say("details.team", locale), *(say(f"kpi.{name}", locale) for name in names))
    yield Table(caption=say("details.teams", locale), columns=columns, rows=tuple(rows))


def _beside(inputs: DigestInputs) -> Iterator[Block]:
    locale = inputs.locale
    rows, references = [], []
    earlier = short(inputs.span.shift(-1), locale)
    for name in beside(inputs.cadence, inputs.kind, new=inputs.new):
        now, before = inputs.this.get(name), inputs.before.get(name)
        if now is None or now.value is None or (now.parts and name == "lifecycle"):
            continue
        was = compared(now, before, locale)[1] or "–"
        rows.append((say(f"kpi.{name}", locale), value_of(now, locale, beside=before), was))
        references.append(reference(name, inputs))
    if rows:
        columns = (say("digest.kpi", locale), say(f"digest.value.{inputs.cadence}", locale), earlier)
        yield _against_before(say("details.beside", locale), columns, rows, references)


def _against_before(
    caption: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], references: Sequence[str] = ()
) -> Table:
    """A table whose last column is the period before; without it, if nothing stands in it."""
    if all(row[-1] == "–" for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table(caption=caption, columns=columns, rows=tuple(rows), references=tuple(references))


def _parts(name: str, inputs: DigestInputs) -> Iterator[Block]:
    """Where people stand, if the digest's cadence shows it; a state of few people is not told."""
    now, before = inputs.this.get(name), inputs.before.get(name)
    if now is None or now.suppressed or not now.denominator or not now.parts or inputs.data_until is None:
        return
    locale = inputs.locale

    def written(result: KpiResult | None, part: str) -> str:
        unknown = result is not None and result.value is None and not result.hidden
        if result is None or result.suppressed or unknown or not result.parts:
            return "–"
        people = result.parts[part]
        return say("cell.hidden", locale) if people is None else formats.count(people, locale)

    if not any(now.parts.values()):
        return  # all of them hidden, or of nobody
    rows = [(_where(part, inputs), written(now, part), written(before, part)) for part in now.parts]
    columns = (
        say(f"kpi.{name}", locale),
        say(f"digest.value.{inputs.cadence}", locale),
        short(inputs.span.shift(-1), locale),
    )
    everybody = formats.count(now.denominator, locale)
    yield _against_before(say("details.lifecycle", locale, people=everybody), columns, rows)


def _where(part: str, inputs: DigestInputs) -> str:
    """What a state is called; a year of which less is known is not called one."""
    short = inputs.known_from is not None and inputs.known_from > inputs.period.after - A_YEAR
    return say("part.never_so_far" if part == "never" and short else f"part.{part}", inputs.locale)


def _reasons(inputs: DigestInputs) -> Iterator[Block]:
    before, now = inputs.reasons
    if not sum(now.values()):
        return
    locale, whole_before = inputs.locale, sum(before.values())
    rows = [
        (
            reason_name(bar.code, locale),
            formats.count(bar.n, locale),
            formats.share(bar.share, locale),
            formats.share(before.get(bar.code, 0) / whole_before, locale) if whole_before else "–",
        )
        for bar in pareto(now)[:REASONS_SHOWN]
    ]
    columns = (
        say("details.reason", locale),
        say("details.count", locale),
        say("details.share", locale),
        short(inputs.span.shift(-1), locale),
    )
    yield _against_before(say("details.reasons", locale), columns, rows)
    shift = drift(before, now)
    if shift is not None:
        key = "details.drift_clear" if shift.clear else "details.drift_unclear"
        yield Text(
            text=say(
                key, locale, psi=formats.ratio(shift.psi, locale), week=short(inputs.span.shift(-1), locale)
            )
        )


def _targets(inputs: DigestInputs) -> Iterator[Block]:
    locale = inputs.locale
    rows = []
    for name, standing in sorted(inputs.targets.items()):
        target, baseline = standing.target, standing.target.baseline
        progress = "–" if standing.progress is None else formats.share(standing.progress, locale)
        if standing.progress is not None and standing.progress < 0:
            progress = say("details.target.away", locale)
        start = "–" if baseline is None else formats.share(baseline.value, locale)
        rows.append(
            (
                say(f"kpi.{name}", locale),
                start,
                formats.share(target.target, locale),
                progress,
                _state(standing, inputs),
                formats.full_day(target.due, locale),
                target.owner,
            )
        )
    if rows:
        columns = ("kpi", "baseline", "target", "progress", "state", "due", "owner")
        headings = tuple(say(f"details.target.{column}", locale) for column in columns)
        yield Table(caption=say("details.targets", locale), columns=headings, rows=tuple(rows))


def _state(standing: Standing, inputs: DigestInputs) -> str:
    """Where a target stands; why it is not judged only where it waits to be."""
    locale = inputs.locale
    state = say(f"target.{standing.state}", locale)
    if standing.short is not None and standing.state != "missed":
        missing = short_of(standing, locale)
        state = missing if standing.state == "open" else f"{state}, {missing}"
    if standing.state != "open" or not standing.closed:
        return state
    shared = inputs.kind == "department" and standing.target.team is None and standing.closed == "no_baseline"
    why = say("target.closed.shared" if shared else f"target.closed.{standing.closed}", locale)
    return say("target.why", locale, state=state, why=why)


def _budgets(inputs: DigestInputs) -> Iterator[Block]:
    locale, currency = inputs.locale, inputs.organisation.currency
    rows = []
    for each in sorted(inputs.budgets, key=lambda e: (-e.share_used, e.budget.budget)):
        made = inputs.forecasts.get(each.budget.budget)
        over = each.share_gone >= 1  # all of it is known
        forecast = "–" if over else say("details.too_little_history", locale)
        off = "–"
        if made is not None:
            forecast = "–" if over else forecast_of(made, currency, locale)
            off = "–" if made.error is None else formats.share(abs(made.error), locale)
        rows.append(
            (
                each.budget.name,
                formats.share(each.share_used, locale),
                formats.money(each.amount_nano, currency, locale),
                formats.share(each.share_gone, locale),
                forecast,
                off,
            )
        )
    if rows:
        columns = ("name", "used", "amount", "gone", "forecast", "error")
        headings = tuple(say(f"details.budget.{column}", locale) for column in columns)
        yield Table(caption=say("details.budgets", locale), columns=headings, rows=tuple(rows))
