"""The chart: rates or money over the last periods, gaps where nothing is known. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from uptake.alerts import formats
from uptake.alerts.digest.inputs import DigestInputs
from uptake.alerts.digest.names import short
from uptake.alerts.formats import Language
from uptake.alerts.message import Chart, Series
from uptake.alerts.phrases import say
from uptake.money import from_nano
from uptake.sql.results import KpiResult


def draw(inputs: DigestInputs) -> Chart | None:
    """Lines of shares, or bars of money; nothing to draw before there are two points."""
    locale = inputs.locale
    lines = {n: rs for n, rs in inputs.history.items() if sum(r.value is not None for r in rs) > 1}
    if not lines:
        return None
    count = max(len(results) for results in lines.values())
    count -= min(_unknown_at_first(results) for results in lines.values())
    lines = {name: results[-count:] for name, results in lines.items()}
    labels = [short(inputs.span.shift(n - count + 1), locale) for n in range(count)]
    money = all(results[0].unit == "money" for results in lines.values())
    currency = next(iter(lines.values()))[-1].currency if money else ""
    series = tuple(
        Series(
            name=say(f"kpi.{name}", locale),
            values=tuple(_height(r.value, money=money) for r in results),
        )
        for name, results in lines.items()
    )
    summary = ". ".join(_summary(line, labels, currency, locale) for line in series)
    key = f"chart.title.{inputs.cadence}"
    names = ", ".join(line.name.lower() if n else line.name for n, line in enumerate(series))
    return Chart(
        kind="bar" if money else "line",
        title=say(key, locale, n=count, names=names.lower()),
        labels=tuple(labels),
        series=series,
        unit="money" if money else "share",
        currency=currency,
        summary=f"{summary}.",
    )


def _unknown_at_first(results: Sequence[KpiResult]) -> int:
    """Periods before anything is known: they are no gap, and not drawn."""
    return next((n for n, result in enumerate(results) if result.value is not None), len(results))


def _height(value: float | None, *, money: bool) -> float | None:
    if value is None:
        return None
    return float(from_nano(int(value))) if money else float(value)


def _summary(line: Series, labels: Sequence[str], currency: str, locale: Language) -> str:
    known = [(label, value) for label, value in zip(labels, line.values, strict=True) if value is not None]
    (first_label, first), (last_label, last) = known[0], known[-1]

    def written(value: float) -> str:
        return (
            formats.money(round(value * 10**9), currency, locale)
            if currency
            else formats.share(value, locale)
        )

    return say(
        "chart.summary_line",
        locale,
        name=line.name,
        first=written(first),
        last=written(last),
        from_week=first_label,
        to_week=last_label,
    )
