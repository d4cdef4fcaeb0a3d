"""`uptake kpi`: one number with all that is needed to judge it, or the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import typer

from uptake.alerts.formats import bare_percent, money, share
from uptake.calendar import Period
from uptake.cli.app import app, open_home
from uptake.cli.output import Json, Tenant, out, print_json, print_table
from uptake.errors import UsageError
from uptake.home import Home
from uptake.sql.catalogue import load_catalogue
from uptake.sql.results import KpiResult
from uptake.sql.runner import Explanation, definition_of

YEARS = range(2000, 2200)
"""What events may be of."""

From = Annotated[str | None, typer.Option("--from", help="first day, such as 2026-11-09", metavar="DAY")]
To = Annotated[str | None, typer.Option("--to", help="last day, which belongs to the period", metavar="DAY")]
Team = Annotated[str | None, typer.Option(help="a team, or the name of an audience in channels.yaml")]


@app.command()
def kpi(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="a KPI; without one, all are listed")] = None,
    first: From = None,
    last: To = None,
    team: Team = None,
    apps: Annotated[list[str] | None, typer.Option("--app", help="only this app; may be repeated")] = None,
    by_team: Annotated[bool, typer.Option("--by-team", help="one line a team")] = False,
    by: Annotated[
        str | None, typer.Option("--by", help="one line for each app, reason, … (see --explain)")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="definition, query and parameters")] = False,
    events: Annotated[
        bool,
        typer.Option("--events", help="count the events, also where activity, the cache by day, would do"),
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Compute a KPI over closed days, in the organisation's zone."""
    if name is None:
        if first or last or team or explain or by_team or events or apps or by:
            raise UsageError("which KPI?", f"one of: {', '.join(load_catalogue())}")
        _list(as_json)
        return
    if first is None or last is None:
        raise UsageError("a KPI is of a period", f"uptake kpi {name} --from 2026-11-09 --to 2026-11-15")
    definition = definition_of(name)
    if apps and not definition.by_app:
        raise UsageError(f"{name} cannot tell apps apart", "leave --app out: it is of all apps together")
    if by_team and by:
        raise UsageError("--by-team and --by at once", "one of them")
    home = open_home(context)
    workspace = home.workspace(tenant)
    period = closed_period(first, last, workspace.organisation.zone, home.clock.now())
    teams = teams_of(home, team, tenant)
    runner = home.runner(tenant, activity=not events)
    currency = workspace.organisation.currency
    if explain:
        _explain(runner.explain(name, period, teams, apps or ()), as_json)
    elif by_team or by:
        results = (
            runner.breakdown(name, period, by, teams, apps or ())
            if by
            else runner.by_team(name, period, apps or ())
        )
        rows = [_row(one, result, currency) for one, result in results.items()]
        if as_json:
            print_json([_document(result) for result in results.values()])
        else:
            about = by or "team"
            shown = [{about: row.pop("team"), **row} for row in rows]
            print_table(shown, (about, "value", "of", "interval"), f"no {about} has a row in this period")
    else:
        result = runner.run(name, period, teams, apps or ())
        if as_json:
            print_json(_document(result))
        else:
            _print(result, currency)


def teams_of(home: Home, name: str | None, tenant: str | None) -> tuple[str, ...]:
    """The teams that `--team` means: one team, or those of an audience. None: all, the organisation."""
    if name is None:
        return ()
    workspace = home.workspace(tenant)
    if name in workspace.teams:
        return (name,)
    for audience in workspace.channels.audiences:
        if name in (audience.audience, audience.name):
            return audience.teams
    known = [*workspace.teams, *(a.audience for a in workspace.channels.audiences)]
    raise UsageError(f"there is no team or audience {name!r}", f"one of: {', '.join(known)}")


def closed_period(first: str, last: str, zone: str, now: datetime) -> Period:
    """As `period_of`, of days that are over. Raises UsageError."""
    period = period_of(first, last, zone)
    if not period.is_closed(now):
        raise UsageError(
            f"{period.last} is not over yet in {period.zone}: figures of a partial period mislead",
            "end the period with a day that is over",
        )
    return period


def period_of(first: str, last: str, zone: str) -> Period:
    """The days from `first` to `last`, both of the period. Raises UsageError."""
    days = [day_of("--from", first), day_of("--to", last)]
    if days[1] < days[0]:
        raise UsageError(f"--to {last} is before --from {first}", "both belong to the period")
    return Period(days[0], date.fromordinal(days[1].toordinal() + 1), zone)


def day_of(option: str, text: str) -> date:
    """The day that an option names. Raises UsageError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is not a day", "write it like 2026-11-09") from None
    if day.year not in YEARS:
        raise UsageError(f"{option}: {text} is not from {YEARS[0]} to {YEARS[-1]}", "events are not older")
    return day


def _list(as_json: bool) -> None:
    catalogue = load_catalogue()
    if as_json:
        print_json(
            [
                definition.model_dump(exclude={"sql", "activity_sql"}, mode="json")
                for definition in catalogue.values()
            ]
        )
        return
    rows = [
        {"name": d.name, "title": d.title.en, "unit": d.unit, "version": d.definition_version}
        for d in catalogue.values()
    ]
    print_table(rows, ("name", "title", "unit", "version"), "")
    out.print("\ndocs/kpis.md has formulas, exclusions and queries")


def _document(result: KpiResult) -> dict[str, Any]:
    """A result as JSON: the period by its days and edges instead of an object."""
    period = result.period
    mappings = ("excluded", "extras", "parts", "details")
    plain = {
        name: getattr(result, name)
        for name in result.__dataclass_fields__
        if name not in ("period", *mappings)
    }
    return {
        **plain,
        "period": {
            "first": period.first,
            "last": period.last,
            "zone": period.zone,
            "start": period.start,
            "end": period.end,
        },
        **{name: dict(getattr(result, name)) for name in mappings},
    }


def shown_value(result: KpiResult) -> str:
    if result.suppressed:
        return "not shown: fewer than 5 people"
    if result.hidden:
        few = "fewer than 5" if result.hidden == "small" else "not shown,"
        return f"{few} of {result.denominator:,}"
    if result.value is None:
        return "no data"
    if result.unit == "share":
        return share(float(result.value), "en")
    if result.unit in ("money", "unit_money"):
        return money(round(result.value), result.currency, "en")
    if result.unit == "ratio":
        return f"{result.value:,.2f}"
    if result.unit == "points":
        return f"{result.value:+.0f}"
    return f"{result.value:,.0f}{ {'days': ' days', 'milliseconds': ' ms'}.get(result.unit, '') }"


def _row(team: str, result: KpiResult, currency: str) -> dict[str, Any]:
    interval = result.interval and "[" + "–".join(_edge(edge, result) for edge in result.interval) + "]"
    of = ""
    if result.denominator is not None and result.numerator is not None:
        in_money = load_catalogue()[result.kpi].counts_money
        part, whole = (
            money(n, currency, "en") if in_money else f"{n:,}" for n in (result.numerator, result.denominator)
        )
        of = f"{part} of {whole}"
    return {"team": team or "(no team)", "value": shown_value(result), "of": of, "interval": interval or ""}


def _edge(edge: float, result: KpiResult) -> str:
    return bare_percent(edge, "en") if result.unit == "share" else f"{edge:,.0f}"


def _print(result: KpiResult, currency: str) -> None:
    definition = load_catalogue()[result.kpi]
    source = "" if result.source == "events" else f" · from {result.source}"
    row = _row(", ".join(result.teams) or "organisation", result, currency)
    apps = f" · {', '.join(result.apps)}" if result.apps else ""
    period = result.period
    out.print(
        f"{definition.title.en} · {row['team']}{apps} · {period.first} – {period.last} ({period.zone})",
        markup=False,
    )
    details = [row["of"], f"95 % interval {row['interval']}" if row["interval"] else ""]
    out.print(f"{row['value']}  {' · '.join(filter(None, details))}".rstrip(), markup=False)
    figures = {
        "parts": result.parts,
        "left out": _with_hidden(result, result.excluded, definition.excludes),
        "beside it": _with_hidden(result, result.extras, definition.extras),
    }
    for heading, named in figures.items():
        if named:
            said = ", ".join(_figure(name, figure, currency) for name, figure in named.items())
            out.print(f"{heading}: {said}", markup=False)
    if result.details:
        said = ", ".join(f"{name.replace('_', ' ')} {figure:,.4g}" for name, figure in result.details.items())
        out.print(f"measured: {said}", markup=False)
    out.print(
        f"definition {result.kpi} v{result.definition_version}{source}; --explain shows it with its query",
        markup=False,
    )


def _with_hidden(
    result: KpiResult, figures: Mapping[str, int], explained: Mapping[str, str]
) -> Mapping[str, int | None]:
    """Figures of a result, with None for those that count too few people to be shown; nothing where all is hidden."""
    return {} if result.suppressed else {name: figures.get(name) for name in explained}


def _figure(name: str, figure: int | None, currency: str) -> str:
    words = name.removesuffix("_nano").replace("_", " ")
    if figure is None:
        return f"{words} not shown"
    return f"{words} {money(figure, currency, 'en') if name.endswith('_nano') else f'{figure:,}'}"


def _explain(explanation: Explanation, as_json: bool) -> None:
    definition = explanation.definition
    if as_json:
        print_json(
            {
                **definition.model_dump(exclude={"activity_sql"}, mode="json"),
                "sql": explanation.sql,
                "parameters": _readable(explanation),
                "source": explanation.source,
                "why": explanation.why,
            }
        )
        return
    out.print(
        f"{definition.title.en} ({definition.name}, version {definition.definition_version})", markup=False
    )
    out.print(definition.formula.strip(), markup=False)
    described = {
        "part": definition.parts,
        "left out": definition.excludes,
        "beside it": definition.extras,
        "by": definition.by,
    }
    for heading, words in described.items():
        for name, meaning in words.items():
            out.print(f"{heading}: {name}: {meaning.strip()}", markup=False)
    why = f": {explanation.why}" if explanation.why else ""
    out.print(f"counted from: {explanation.source}{why}", markup=False)
    out.print("\n" + explanation.sql.strip(), markup=False)
    for name, value in _readable(explanation).items():
        out.print(f"-- {name} = {value}", markup=False)


def _readable(explanation: Explanation) -> dict[str, Any]:
    return {name: str(value) for name, value in explanation.parameters.items()}
