"""What goes wrong on the way, on purpose: events that arrive late, and one that must be refused."""

from __future__ import annotations

from uptake.demo import facts
from uptake.demo.calls import Call
from uptake.demo.organisation import Organisation, teams_of
from uptake.demo.patterns import local_day


def disturb(calls: list[Call], organisation: Organisation) -> None:
    """Change the plan in place. The letter app stays tidy: its budget's days are planted."""
    plan = facts.UNTIDY
    in_claims = {
        member.address
        for team in teams_of("claims")
        for member in organisation.in_team(team, plan.late_occurred)
    }
    offline = [
        call
        for call in calls
        if call.verb == "usage" and call.app != facts.PROMPT.app and call.user in in_claims
        and local_day(call.at) == plan.late_occurred
    ]  # fmt: skip
    for call in offline[: plan.late]:
        call.sent_at = plan.late_sent
    # A machine whose clock runs three days ahead: the SDK believes it, the gateway must not.
    before = [call for call in calls if call.app == "broker-mail" and call.verb == "usage"]
    wrong = max((call for call in before if call.at < plan.rejected_at), key=lambda call: call.at)
    ahead = plan.rejected_at + plan.clock_ahead
    fields = {**wrong.fields, "response_id": "r-ahead"}
    calls.append(Call(ahead, wrong.app, "usage", fields, wrong.user, sent_at=plan.rejected_at, valid=False))
