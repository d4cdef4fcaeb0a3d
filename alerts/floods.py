"""Many findings of one kind at once: one message instead of one each. Pure.

An app that says another use case with every call would else fill the channel. Each finding is still a fact of its
own: it is recorded, counts as said, and is not said again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from uptake.alerts import formats
from uptake.alerts.findings import Finding, cost, identity, instead
from uptake.alerts.formats import Language
from uptake.alerts.message import Message, Text
from uptake.alerts.phrases import PHRASES, counted, say
from uptake.workspace.models import Workspace

FLOOD = 10
"""Up to so many new findings of one rule and app are said one by one."""

EXAMPLES = 5


def bundle(new: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """What is said together: findings of one rule and app where they are more than `FLOOD`, else each alone."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in new:
        groups.setdefault((finding.rule, finding.app), []).append(finding)
    bundles: list[tuple[Finding, ...]] = []
    for some in groups.values():
        bundles += [tuple(some)] if len(some) > FLOOD else [(finding,) for finding in some]
    return bundles


def compose(some: Sequence[Finding], workspace: Workspace, locale: Language | None = None) -> Message:
    """The message about findings of one rule and app, the costliest first. Its identity is the first one's.

    People are not counted: the same person may be in several.
    """
    organisation, first = workspace.organisation, some[0]
    language: Language = locale or organisation.locale
    key = f"flood.{first.rule}" if f"flood.{first.rule}" in PHRASES else "flood.other"
    count = formats.count(len(some), language)
    size = ", ".join(
        [
            counted("finding.calls", language, sum(f.calls for f in some)),
            *cost(
                sum(f.known_nano for f in some),
                sum(f.upper_nano for f in some),
                sum(f.unpriced_calls for f in some),
                organisation.currency,
                language,
            ),
        ]
    )
    seen = formats.moment(min(f.first_seen for f in some), organisation.zone, language)
    examples = [finding.subject or "–" for finding in some[:EXAMPLES]]
    lines = [
        f"{formats.capital(say('finding.first_seen', language, moment=seen))} · {size}",
        say("flood.examples", language, names=formats.listing(examples, language)),
    ]
    app = workspace.registry.get(first.app)
    if app is not None:
        lines.append(
            " ".join([*instead(first, app, language), say("finding.owner", language, owner=app.owner)])
        )
    lines.append(say("finding.how", language))
    return Message(
        identity=identity(organisation.tenant, first),
        kind="finding",
        tenant=organisation.tenant,
        locale=language,
        title=f"🟠 {say(key, language, app=first.app, n=count, rule=first.rule)}",
        summary=size,
        blocks=tuple(Text(text=line) for line in lines),
    )
