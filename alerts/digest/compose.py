"""The weekly digest: a closed week's figures become one message for one audience. Pure.

One verdict first; a number never stands without its denominator or interval; "clear change" is a test; what is
not known says so. The table's cells are in `cells`, the things to do in `actions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from uptake.alerts import formats
from uptake.alerts.budgets import Evaluation
from uptake.alerts.digest.actions import Idle, PromptJump, do_next
from uptake.alerts.digest.cells import cells
from uptake.alerts.findings import Finding
from uptake.alerts.formats import Language
from uptake.alerts.message import Actions, Block, Chart, Footer, Message, Series, Table, Text
from uptake.alerts.phrases import counted, say
from uptake.calendar import IsoWeek
from uptake.errors import UsageError
from uptake.sql.results import AdoptionPairs, KpiResult
from uptake.stats import Change, compare_shares
from uptake.workspace.models import Audience, Organisation

DEFINITION_VERSION = 2
"""Raise it when a figure of the digest changes its meaning, or a KPI that it shows: the week is then said anew."""

HISTORY_WEEKS = 12
HOLDS_UNDER = 0.05  # an unclear change of this size is not shown to be one, and not shown to be none
ROSTER_FALL = -0.02  # a smaller fall is not worth a sentence about its cause
LONG_RUN = 0.05  # a smaller change since the first known week is not worth a verdict
SENT_FROM = time(8, 0)  # on Monday, on the tenant's wall clock
SHOWN = ("adoption", "override_rate", "thumbs_down", "spend", "unauthorised_share")
TRUST = ("completeness", "late_share", "unpriced_share")


@dataclass(frozen=True, slots=True)
class DigestInputs:
    """What a digest is made of. Shares and money as the KPIs give them; `before` is the week before.

    `history` holds the results of the last weeks, oldest first and this week last, for the KPIs of the chart.
    `budgets` are judged at the week's end. `findings` are those of the week: `new_findings` of them were not seen
    in the weeks before, `known_findings` were. `since` compares adoption with the first week that is known of the
    look-back. `registered` are the apps that the registry knows by now.
    """

    organisation: Organisation
    audience: Audience
    week: IsoWeek
    this: Mapping[str, KpiResult]
    before: Mapping[str, KpiResult]
    pairs: AdoptionPairs | None
    targets: Mapping[str, float] = field(default_factory=dict)
    budgets: Sequence[Evaluation] = ()
    findings: Sequence[Finding] = ()
    new_findings: int = 0
    known_findings: int = 0
    registered: frozenset[str] = frozenset()
    jumps: Sequence[PromptJump] = ()
    idle: Sequence[Idle] = ()
    history: Mapping[str, Sequence[KpiResult]] = field(default_factory=dict)
    since: tuple[IsoWeek, AdoptionPairs] | None = None
    data_until: datetime | None = None

    @property
    def locale(self) -> Language:
        return self.audience.locale or self.organisation.locale


def identity(tenant: str, audience: str, week: IsoWeek) -> str:
    """The fact "this audience was told about this week", under the present definitions."""
    return f"digest/{tenant}/{audience}/{week}/v{DEFINITION_VERSION}"


def due_at(week: IsoWeek, zone: str) -> datetime:
    """When the digest of a week may be sent: Monday 08:00 after it, on the wall clock of `zone`."""
    return datetime.combine(week.shift(1).monday(), SENT_FROM, ZoneInfo(zone))


def require_closed(week: IsoWeek, zone: str, now: datetime) -> None:
    """Refuse a week that is not over: nothing is computed on part of a period."""
    period = week.period(zone)
    if not period.is_closed(now):
        last = IsoWeek.last_closed(now, zone)
        raise UsageError(
            f"week {week} is not over: it ends {formats.moment(period.end, zone, 'en')} ({zone})",
            f"the last closed week is {last}",
        )


def compose(inputs: DigestInputs, now: datetime) -> Message:
    """The message. Raises UsageError for a week that is not closed at `now`."""
    organisation, locale, week = inputs.organisation, inputs.locale, inputs.week
    require_closed(week, organisation.zone, now)
    changes = compare(inputs)
    verdict = _verdict(inputs, changes)
    blocks: list[Block] = [Text(text=verdict, strong=True), _table(inputs, changes)]
    actions = do_next(
        inputs.jumps,
        inputs.findings,
        inputs.idle,
        organisation.currency,
        locale,
        inputs.registered,
        inputs.budgets,
    )
    if actions:
        blocks.append(Actions(title=say("next.title", locale), items=tuple(actions)))
    chart = _chart(inputs)
    if chart is not None:
        blocks.append(chart)
    blocks.append(Footer(text=_footer(inputs)))
    title = say(
        "digest.title",
        locale,
        audience=inputs.audience.name,
        week=week,
        days=formats.days(week.period(organisation.zone), locale),
        zone=organisation.zone,
    )
    return Message(
        identity=identity(organisation.tenant, inputs.audience.audience, week),
        kind="digest",
        tenant=organisation.tenant,
        locale=locale,
        title=title,
        summary=verdict,
        blocks=tuple(blocks),
    )


def compare(inputs: DigestInputs) -> dict[str, Change]:
    """The tested change of each rate against the week before, where both weeks are known."""
    changes: dict[str, Change] = {}
    if inputs.pairs is not None and _known(inputs.this, "adoption") and _known(inputs.before, "adoption"):
        change = inputs.pairs.change
        if change is not None:
            changes["adoption"] = change
    for name in ("override_rate", "thumbs_down"):
        now, then = inputs.this.get(name), inputs.before.get(name)
        if now and then and now.denominator and then.denominator:
            counts = (then.numerator or 0, then.denominator, now.numerator or 0, now.denominator)
            change = compare_shares(*counts)
            if change is not None:
                changes[name] = change
    return changes


def _known(results: Mapping[str, KpiResult], name: str) -> bool:
    return name in results and results[name].value is not None


def _table(inputs: DigestInputs, changes: Mapping[str, Change]) -> Table:
    locale = inputs.locale
    headings = (
        say("digest.kpi", locale),
        say("digest.value", locale),
        say("digest.target", locale),
        say("digest.change", locale, week=short(inputs.week.shift(-1), locale)),
    )
    rows = tuple(
        (
            say(f"kpi.{name}", locale),
            *cells(
                name,
                inputs.this[name],
                inputs.before.get(name),
                short(inputs.week.shift(-1), locale),
                locale,
                inputs.organisation.currency,
                change=changes.get(name),
                pairs=inputs.pairs,
                target=inputs.targets.get(name),
                budgets=inputs.budgets,
                findings=(inputs.new_findings, inputs.known_findings),
            ),
        )
        for name in SHOWN
        if name in inputs.this
    )
    return Table(caption=say("digest.caption", locale), columns=headings, rows=rows)


def short(week: IsoWeek, locale: Language) -> str:
    """W45, S45 in French."""
    return say("digest.short_week", locale, week=week.week)


def _verdict(inputs: DigestInputs, changes: Mapping[str, Change]) -> str:
    """Adoption first, then the one thing that presses most."""
    locale = inputs.locale
    if inputs.data_until is None:
        return say("verdict.no_data", locale)
    pressing = _pressing(inputs, changes) or say("verdict.quiet", locale)
    return f"{_adoption(inputs, changes.get('adoption'))} {pressing}"


def _adoption(inputs: DigestInputs, change: Change | None) -> str:
    locale = inputs.locale
    result = inputs.this.get("adoption")
    if result is None or (result.value is None and not result.suppressed):
        return say("verdict.adoption_unknown", locale)
    if result.value is None:
        return say("verdict.adoption_suppressed", locale)
    share = formats.share(float(result.value), locale)
    if change is None:
        return say("verdict.adoption_first", locale, share=share)
    if change.clear:
        return say(f"verdict.adoption_{'up' if change.difference > 0 else 'down'}", locale, share=share)
    usage, roster = (inputs.pairs.usage_part, inputs.pairs.roster_part) if inputs.pairs else (None, None)
    falls = change.difference <= ROSTER_FALL and (usage or 0.0) >= 0 > (roster or 0.0)
    if falls:
        return say("verdict.adoption_roster", locale)
    holds = abs(change.difference) < HOLDS_UNDER
    return _long_run(inputs, holds) or say(
        "verdict.adoption_holds" if holds else "verdict.adoption_unclear", locale
    )


def _long_run(inputs: DigestInputs, holds: bool) -> str | None:
    """A rise or fall that no single week shows: against the first known week, by the same test."""
    if inputs.since is None:
        return None
    week, pairs = inputs.since
    change = pairs.change
    if change is None or not change.clear or abs(change.difference) < LONG_RUN:
        return None
    key = (
        f"verdict.adoption_{'holds' if holds else 'unclear'}_{'above' if change.difference > 0 else 'below'}"
    )
    share = formats.share(pairs.a0 / pairs.n0, inputs.locale)
    return say(key, inputs.locale, share=share, week=short(week, inputs.locale))


def _pressing(inputs: DigestInputs, changes: Mapping[str, Change]) -> str | None:
    locale = inputs.locale
    overrides, thumbs = changes.get("override_rate"), changes.get("thumbs_down")
    if overrides and overrides.clear and overrides.difference > 0:
        jump = next((jump for jump in inputs.jumps if jump.risen), None)
        if jump is not None:
            since = ""
            if jump.first_at is not None:
                local = jump.first_at.astimezone(ZoneInfo(inputs.organisation.zone)).date()
                since = say("verdict.on_day", locale, day=formats.weekday(local, locale))
            return say("verdict.overrides_up_prompt", locale, app=jump.place, prompt=jump.prompt, since=since)
        return say("verdict.overrides_up", locale, share=_share(inputs, "override_rate"))
    over = [e for e in inputs.budgets if e.state == "breach"]
    if over:
        worst = max(over, key=lambda e: e.share_used)
        certain = worst.spend.known_nano >= worst.amount_nano
        return say("verdict.budget" if certain else "verdict.budget_maybe", locale, name=worst.budget.name)
    if inputs.new_findings:
        return counted("verdict.finding", locale, inputs.new_findings)
    if thumbs and thumbs.clear and thumbs.difference > 0:
        return say("verdict.thumbs_up", locale, share=_share(inputs, "thumbs_down"))
    if overrides and overrides.clear:
        return say("verdict.overrides_down", locale, share=_share(inputs, "override_rate"))
    return None


def _share(inputs: DigestInputs, name: str) -> str:
    return formats.share(float(inputs.this[name].value or 0.0), inputs.locale)


def _chart(inputs: DigestInputs) -> Chart | None:
    """Rates over the last weeks; nothing to draw before there are two points."""
    locale = inputs.locale
    lines = {n: rs for n, rs in inputs.history.items() if sum(r.value is not None for r in rs) > 1}
    if not lines:
        return None
    count = max(len(results) for results in lines.values())
    weeks = [short(inputs.week.shift(n - count + 1), locale) for n in range(count)]
    series = tuple(
        Series(name=say(f"kpi.{name}", locale), values=tuple(_float(r.value) for r in results))
        for name, results in lines.items()
    )
    summary = ". ".join(_summary(line, weeks, locale) for line in series)
    title = say("chart.title", locale, n=count) if len(series) > 1 else series[0].name
    return Chart(title=title, labels=tuple(weeks), series=series, unit="share", summary=f"{summary}.")


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _summary(line: Series, weeks: Sequence[str], locale: Language) -> str:
    known = [(week, value) for week, value in zip(weeks, line.values, strict=True) if value is not None]
    (first_week, first), (last_week, last) = known[0], known[-1]
    return say(
        "chart.summary_line",
        locale,
        name=line.name,
        first=formats.share(first, locale),
        last=formats.share(last, locale),
        from_week=first_week,
        to_week=last_week,
    )


def _footer(inputs: DigestInputs) -> str:
    """How far to trust it."""
    locale = inputs.locale
    parts = []
    complete = inputs.this.get("completeness")
    if complete is not None and complete.value is not None:
        parts.append(say("footer.complete", locale, share=formats.share(float(complete.value), locale)))
    else:
        parts.append(say("footer.complete_unknown", locale))
    for name, key in (("late_share", "footer.late"), ("unpriced_share", "footer.unpriced")):
        result = inputs.this.get(name)
        if result is not None and result.value is not None:
            parts.append(say(key, locale, share=formats.share(float(result.value), locale)))
    if inputs.data_until is None:
        parts.append(say("footer.no_data", locale))
    else:
        # the last moment of a day reads as that day, not as the next one
        shown = min(
            inputs.data_until, inputs.week.period(inputs.organisation.zone).end - timedelta(minutes=1)
        )
        parts.append(
            say("footer.until", locale, moment=formats.moment(shown, inputs.organisation.zone, locale))
        )
    parts.append(say("footer.definitions", locale, version=DEFINITION_VERSION))
    return " · ".join(parts)
