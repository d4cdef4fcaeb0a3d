"""Late data, on the real engine: a closed week that they reach is restated once, visibly, and only for a figure."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from uptake.alerts import digest, late, ledger
from uptake.alerts.deliver.slack import SlackDeliverer
from uptake.alerts.late import LOOKED_AT_AFTER_WRITES
from uptake.alerts.outbox import Outbox
from uptake.alerts.restating import APART, SETTLED_AFTER, Sayable
from uptake.alerts.saying import Place
from uptake.alerts.tick import RETRY_AFTER
from uptake.calendar import IsoWeek
from uptake.errors import UnavailableError
from uptake.schemas.identity import mint, unix_ms
from uptake.sql.fingerprint import Fingerprints
from uptake.state.tables import facts
from uptake.workspace.models import Person
from uptake.workspace.roster import generation_before, publish_roster

MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)  # 08:00 in Paris
IN_WEEK = datetime(2026, 11, 11, 10, 0, tzinfo=UTC)
WEEK = IsoWeek(2026, 46)

pytestmark = pytest.mark.usefixtures("short_chart")


def row(
    at: datetime, user: str, cost: int = 0, ver: int = 1, event_id: int | None = None, **given: Any
) -> str:
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        {
            "event_id": str(event_id or mint(unix_ms(at)).int),
            "ver": ver,
            "occurred_at": moment,
            "received_at": moment,
            "app": "claims-letter",
            "team": "Claims",
            "user_id": user,
            "status": "ok",
            "intent": "deliberate",
            "cost_nano": cost,
            "cost_upper_nano": cost,
            "authorisation": "allowed",
            **given,
        }
    )


class Late:
    """A tenant whose week was said on Monday, and what comes after."""

    def __init__(self, world: Any, deliverer: Any = None) -> None:
        self.world = world
        self.tick = world.tick(deliverer=deliverer)
        world.usage(IN_WEEK, 5, calls=6)
        world.clock.set(MONDAY)
        self.tick.run(MONDAY)

    def comes(self, rows: Sequence[str], *, notice: bool = True) -> None:
        lines = (json.dumps({**json.loads(line), "tenant": self.world.tenant}) for line in rows)
        self.world.database.insert_json_lines("usage", "\n".join(lines).encode())
        if notice:
            self.tick.notice(self.world.tenant)

    def passes(self, **time: float) -> int:
        """Let time pass and look; returns how many messages were restated."""
        self.world.clock.set(self.world.clock.now() + timedelta(**time))
        report = self.tick.run(self.world.clock.now())
        assert not report.failed
        return int(report.said["restated"])

    def settles(self) -> int:
        """Notice what came, then let it settle."""
        return self.looks() + self.passes(seconds=SETTLED_AFTER.total_seconds())

    def looks(self) -> int:
        """Wait until what came is noticed."""
        return self.passes(seconds=LOOKED_AT_AFTER_WRITES.total_seconds())

    def told(self, audience: str = "claims", week: IsoWeek = WEEK) -> ledger.Told:
        name = digest.identity(self.world.tenant, audience, week)
        return ledger.told(self.world.engine, [name])[name]


@pytest.fixture
def late_world(world: Any) -> Late:
    return Late(world)


def test_a_late_event_restates_the_week_for_each_audience_with_what_changed(late_world: Late) -> None:
    late_world.comes([row(IN_WEEK, "u7")])
    assert late_world.settles() == 2
    told = late_world.told()
    assert told.first.notice == ""
    assert told.last.notice.startswith("Restated Mon 16 Nov 08:12 after late or corrected data: ")
    assert "Adoption 30% (6 of 20) → 35% (7 of 20)" in told.last.notice
    assert late_world.world.stream.getvalue().count("Restated Mon 16 Nov") == 2
    assert [x.status for x in Outbox(late_world.world.engine, late_world.world.clock).letters()] == [
        "sent"
    ] * 2
    assert late_world.settles() == late_world.passes(hours=2) == 0, "once"


def test_nothing_is_restated_while_nothing_came(late_world: Late) -> None:
    assert late_world.settles() == late_world.passes(hours=1) == 0
    assert late_world.told().restated_at is None


def test_an_event_that_changes_no_figure_is_no_restatement(
    late_world: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = mint(unix_ms(IN_WEEK)).int
    late_world.comes([row(IN_WEEK, "u1", event_id=event_id)])
    late_world.settles()
    late_world.passes(hours=2)
    composed: list[str] = []
    compose = digest.compose

    def counted(*given: Any) -> Any:
        composed.append("")
        return compose(*given)

    monkeypatch.setattr(digest, "compose", counted)
    before = late_world.told().last
    late_world.comes([row(IN_WEEK, "u1", ver=2, event_id=event_id, input_uncached_tokens=7)])
    assert late_world.settles() == 0
    assert len(composed) == 2
    assert late_world.told().last == before
    assert [late_world.passes(hours=2) for _ in range(3)] == [0, 0, 0]
    assert len(composed) == 2, "and it is not composed again because of it"


def test_a_correction_restates_without_a_new_event(late_world: Late) -> None:
    event_id = mint(unix_ms(IN_WEEK)).int
    late_world.comes([row(IN_WEEK, "u1", cost=10**9, event_id=event_id)])
    assert late_world.settles() == 2
    late_world.comes([row(IN_WEEK, "u1", cost=4 * 10**9, ver=2, event_id=event_id)])
    late_world.world.clock.set(late_world.world.clock.now() + APART)
    assert late_world.settles() == 2
    assert "Spend €5.00 → €9.00" in late_world.told().last.notice, "against what was said at first"


def test_a_message_is_restated_once_an_hour_at_most(late_world: Late) -> None:
    late_world.comes([row(IN_WEEK, "u7")])
    assert late_world.settles() == 2
    late_world.comes([row(IN_WEEK, "u8")])
    assert late_world.settles() == late_world.passes(minutes=47) == 0
    assert late_world.passes(minutes=2) == 2
    assert "30% (6 of 20) → 40% (8 of 20)" in late_world.told().last.notice


def test_events_that_still_come_in_are_waited_for(late_world: Late) -> None:
    late_world.comes([row(IN_WEEK, "u6")])
    assert late_world.looks() == 0
    for user in ("u7", "u8"):
        late_world.comes([row(IN_WEEK, user)])
        assert late_world.passes(minutes=2) == 0
    assert late_world.passes(minutes=2) == 2
    assert "→ 45% (9 of 20)" in late_world.told().last.notice


def test_any_order_and_number_of_the_same_late_events_gives_the_same_bytes(
    world: Any, database: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rows = [row(IN_WEEK + timedelta(minutes=n), f"u{n}", cost=n * 10**8) for n in range(5, 9)]
    rows.append(row(IN_WEEK - timedelta(weeks=1), "u3", cost=10**9))
    done = set()
    for seed in range(3):
        chaos = random.Random(seed)
        other = type(world)(
            database,
            f"{world.tenant}-{seed}",
            f"sqlite:///{tmp_path / f'state-{seed}.db'}",
            tmp_path / f"messages-{seed}",
            MONDAY,
        )
        request.addfinalizer(other.engine.dispose)
        late_world = Late(other)
        some = chaos.sample(rows * 2, k=len(rows) * 2)
        cut = chaos.randrange(1, len(some)) if seed else len(some)
        for part in (some[:cut], some[cut:]):
            if part:
                late_world.comes(part)
            late_world.settles()
            other.clock.set(MONDAY + 2 * APART)
        late_world.comes(rows)
        late_world.settles()
        last = late_world.told().last
        moment, _, changes = last.notice.partition(" after ")
        assert moment.startswith("Restated Mon 16 Nov")
        done.add((changes, last.model_dump_json(exclude={"identity", "tenant", "notice"})))
        assert "Adoption 30% (6 of 20) → 45% (9 of 20)" in last.notice
    assert len(done) == 1


def test_events_of_an_earlier_week_restate_every_message_that_shows_them(late_world: Late) -> None:
    """W46 compares itself with W45."""
    monday = IN_WEEK - timedelta(weeks=1, days=2)  # were it later, W45 would be known in part
    late_world.comes([row(monday, f"u{n}") for n in range(8)])
    assert late_world.settles() == 2
    assert "Adoption (Against W45)" in late_world.told().last.notice


def test_weeks_that_are_over_for_long_stay_as_they_are(late_world: Late) -> None:
    late_world.world.clock.set(MONDAY + timedelta(weeks=late.RESTATED["weekly"]))
    late_world.comes([row(IN_WEEK, "u7")])
    late_world.settles()
    assert late_world.told().restated_at is None


def test_what_came_is_found_within_the_hour_without_anybody_saying_so(late_world: Late) -> None:
    late_world.comes([row(IN_WEEK, "u7")], notice=False)
    assert late_world.passes(minutes=59) == late_world.passes(minutes=1) == 0
    assert late_world.passes(minutes=2) == 2


def test_a_digest_from_before_this_was_kept_is_restated_for_what_comes_from_now_on(late_world: Late) -> None:
    world = late_world.world
    with world.engine.begin() as connection:
        connection.execute(update(facts).where(facts.c.kind == "digest").values(detail={}))
    late_world.comes([row(IN_WEEK, "u7")])
    assert late_world.settles() == late_world.passes(hours=1) == 0, (
        "what came until now is not known to be late"
    )
    late_world.comes([row(IN_WEEK, "u8")])
    assert late_world.settles() == 2


def test_a_message_that_cannot_be_composed_is_shown_and_holds_up_no_other(
    late_world: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose = digest.compose

    def broken(inputs: Any, now: datetime) -> Any:
        if inputs.audience.audience == "acme":
            raise RuntimeError("a bug")
        return compose(inputs, now)

    late_world.comes([row(IN_WEEK, "u7")])
    late_world.looks()
    name = f"restating:{late_world.told('acme').identity}"
    with monkeypatch.context() as patch:
        patch.setattr(digest, "compose", broken)
        late_world.world.clock.set(late_world.world.clock.now() + SETTLED_AFTER)
        report = late_world.tick.run(late_world.world.clock.now())
    assert [step.name for step in report.failed] == [name]
    assert report.said["restated"] == 1
    assert [step["step"] for step in late_world.tick.status()["failing"]] == [name]
    assert late_world.passes(minutes=2) == 1
    assert late_world.tick.status()["failing"] == []


def test_a_comparison_that_fails_is_made_again_soon_and_forgets_nothing(
    late_world: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise UnavailableError("the database does not answer")

    late_world.comes([row(IN_WEEK, "u7")])
    with monkeypatch.context() as patch:
        patch.setattr(Fingerprints, "of", broken)
        late_world.world.clock.set(late_world.world.clock.now() + LOOKED_AT_AFTER_WRITES)
        report = late_world.tick.run(late_world.world.clock.now())
        assert [step.name for step in report.failed] == ["restating"]
    assert late_world.passes(seconds=RETRY_AFTER.total_seconds()) == 0
    assert late_world.passes(minutes=2) == 2


def test_composing_anew_leaves_room_for_the_rest_of_a_tick(
    late_world: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.alerts.tick.RESTATED_AT_ONCE", 1)
    late_world.comes([row(IN_WEEK, "u7")])
    late_world.looks()
    assert [late_world.passes(minutes=2), late_world.passes(seconds=2), late_world.passes(seconds=2)] == [
        1,
        1,
        0,
    ]


def test_other_closed_periods_are_restated_in_the_same_way(
    late_world: Late, a_message: Callable[..., Any]
) -> None:
    """A month's digest is whatever its composer says; when it is restated is the same for all."""
    world = late_world.world
    place = Place(world.engine, world.database.tenant(world.tenant), world.workspace)
    november = late.shown_by(WEEK, "Europe/Paris")
    said = a_message("digest/acme/claims/2026-10", summary="")
    ledger.say(
        world.engine,
        said.identity,
        "digest",
        world.tenant,
        said,
        ["#a"],
        MONDAY,
        detail=late.seen(place, november),
    )
    sayable = Sayable(said.identity, november, lambda: said)
    waiting = late.Waiting()
    assert late.changed(place, [sayable], waiting, MONDAY) == []
    assert not waiting
    late_world.comes([row(IN_WEEK, "u7")])
    assert late.changed(place, [sayable], waiting, MONDAY) == []
    (changed,) = late.changed(place, [sayable], waiting, MONDAY + SETTLED_AFTER)
    assert not late.restate(place, changed, waiting, MONDAY), "it says what it said"
    assert late.changed(place, [sayable], waiting, MONDAY + timedelta(hours=9)) == []
    assert not waiting


def test_a_late_event_edits_the_message_in_slack(world: Any, fake_slack: Any) -> None:
    fake_slack.channels.update({"ai": "C000000AI"})
    slack = SlackDeliverer("xoxb-test", fake_slack.base_url, timeout=5)
    late_world = Late(world, slack)
    posts = [post["ts"] for post in fake_slack.posts]
    late_world.comes([row(IN_WEEK, "u7")])
    assert late_world.settles() == 2
    assert [post["ts"] for post in fake_slack.posts] == posts
    tops = fake_slack.main()
    assert all("Restated Mon 16 Nov 08:12" in str(post["blocks"]) for post in tops)
    assert fake_slack.called("chat.update") == len(posts)


# --- the roster ---


def applies(late_world: Late, *people: Person, without: str = "") -> None:
    """Another roster is loaded: with these people more, and one person less."""
    world = late_world.world
    kept = tuple(person for person in world.workspace.roster if person.user_id != without)
    world.workspace = world.workspace.model_copy(update={"roster": (*kept, *people)})
    publish_roster(world.database, world.workspace, world.clock)


def test_who_turns_out_to_have_been_there_restates_the_week(late_world: Late) -> None:
    applies(late_world, *(Person(user_id=f"v{n}", team="Claims", joined=date(2026, 10, 1)) for n in range(4)))
    assert late_world.passes(hours=1) == 0
    assert late_world.passes(seconds=SETTLED_AFTER.total_seconds()) == 2
    assert "Adoption 30% (6 of 20) → 25% (6 of 24)" in late_world.told().last.notice


def test_who_comes_or_goes_after_the_week_changes_nothing_that_was_said_of_it(
    late_world: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    def composed(*_: Any) -> Any:
        raise AssertionError("nothing is to be composed")

    monkeypatch.setattr(digest, "compose", composed)
    leaves = Person(user_id="u1", team="Claims", joined=date(2026, 1, 1), left=WEEK.shift(1).monday())
    moved = Person(user_id="u1", team="Sales", joined=WEEK.shift(1).monday())
    joins = Person(user_id="v1", team="Claims", joined=WEEK.shift(1).monday())
    applies(late_world, leaves, moved, joins, without="u1")
    assert late_world.passes(hours=1) == late_world.passes(minutes=2) == late_world.passes(hours=1) == 0


def test_who_left_on_the_weeks_last_day_is_another_roster(late_world: Late) -> None:
    roster = late_world.world.workspace.roster
    sunday = WEEK.shift(1).monday() - timedelta(days=1)
    left = tuple(p.model_copy(update={"left": sunday}) if p.user_id == "u1" else p for p in roster)
    after = WEEK.shift(1).monday()
    assert generation_before(left, after) != generation_before(roster, after)
    assert generation_before(left, sunday) == generation_before(roster, sunday)


# --- fingerprints ---


def test_a_fingerprint_changes_with_the_events_of_its_days_and_with_nothing_else(late_world: Late) -> None:
    world = late_world.world
    whole = late.shown_by(WEEK, "Europe/Paris")
    week, before = WEEK.period("Europe/Paris"), WEEK.shift(-1).period("Europe/Paris")

    def of(period: Any) -> str:
        return Fingerprints(world.database.tenant(world.tenant), whole).of(period)

    first = (of(week), of(before))
    event_id = mint(unix_ms(IN_WEEK)).int
    line = row(IN_WEEK, "u1", event_id=event_id)
    late_world.comes([line])
    second = (of(week), of(before))
    assert second[0] != first[0]
    assert second[1] == first[1]
    late_world.comes([line, line])
    assert of(week) == second[0], "the same event again"
    late_world.comes([row(IN_WEEK, "u1", event_id=event_id, ver=2)])
    assert of(week) not in (first[0], second[0])
    with pytest.raises(ValueError, match="is not within"):
        of(WEEK.shift(1).period("Europe/Paris"))


def test_a_cost_changes_all_days_that_it_bills_whenever_it_comes(late_world: Late) -> None:
    world = late_world.world
    whole = late.shown_by(WEEK, "Europe/Paris")

    def of(week: IsoWeek) -> str:
        return Fingerprints(world.database.tenant(world.tenant), whole).of(week.period("Europe/Paris"))

    weeks = [WEEK.shift(-n) for n in range(4)]
    before = [of(week) for week in weeks]
    billed = row(
        MONDAY, "", cost=10**9, category="licence", period_start="2026-11-02", period_end="2026-11-16"
    )
    fields = {k: v for k, v in json.loads(billed).items() if k not in ("status", "intent", "authorisation")}
    line = json.dumps({**fields, "tenant": world.tenant})
    world.database.insert_json_lines("cost", line.encode())
    assert [of(week) != old for week, old in zip(weeks, before, strict=True)] == [True, True, False, False]
