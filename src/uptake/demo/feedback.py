"""What people make of an answer: decisions, thumbs, edits and their reasons."""

from __future__ import annotations

import random
from typing import Any

from uptake.calendar import IsoWeek
from uptake.demo import facts
from uptake.demo.apps import Profile, Streams, pick
from uptake.demo.calls import Call
from uptake.demo.patterns import after, local_day

_DRAFT = (
    "we have read your file and agree to settle the claim as the expert proposed in the report of the visit "
    "please find enclosed the form that our office needs before the payment can be made to your account"
)
_OTHER = "instead kindly regarding moreover sincerely henceforth accordingly notwithstanding herewith"
_WORDS, _CHANGED = _DRAFT.split(), _OTHER.split()


def of(call: Call, profile: Profile, streams: Streams) -> list[Call]:
    """The feedback that follows one usage call: none, mostly."""
    if call.fields.get("status") == "error":
        return []
    said = []
    if profile.decided and streams.decided.yes(profile.decided):
        said.append(_decision(call, profile, streams))
    elif profile.thumbed and streams.thumb.yes(profile.thumbed):
        thumb = "down" if streams.down.yes(profile.thumbs_down) else "up"
        reasons = [pick(profile.reasons, streams.rng.random())] if thumb == "down" else []
        said.append(_about(call, "thumb", streams, {"thumb": thumb, "reasons": reasons}))
    if profile.edited and streams.edited.yes(profile.edited):
        share = min(0.95, streams.rng.expovariate(5.0))
        said.append(_edit(call, "edit", streams, share, {}))
    return said


def _decision(call: Call, profile: Profile, streams: Streams) -> Call:
    change = facts.PROMPT
    version = call.fields["prompt_version"]
    planted = version == change.after and profile.app == change.app
    overridden = change.overridden_after if planted else profile.overridden * _mood(call)
    at = streams.verdict(version).draw()
    if at < overridden:
        reason = _reason(profile, streams, planted)
        if at < overridden / 2:
            return _about(call, "decision", streams, {"decision": "rejected", "reasons": [reason]})
        heavy = streams.rng.uniform(0.4, 0.8)
        return _edit(call, "decision", streams, heavy, {"decision": "edited", "reasons": [reason]})
    rest = (at - overridden) / (1 - overridden)
    if rest < 0.66:
        return _about(call, "decision", streams, {"decision": "accepted"})
    if rest < 0.98:
        return _edit(call, "decision", streams, streams.rng.uniform(0.03, 0.24), {"decision": "edited"})
    return _about(call, "decision", streams, {"decision": "escalated"})


def _mood(call: Call) -> float:
    """Weeks differ a little, but not the two whose difference is planted."""
    week = IsoWeek.of(local_day(call.at))
    if week >= facts.LAST_WEEK.shift(-1):
        return 1.0
    return random.Random(f"{call.app}:{week}").uniform(0.82, 1.22)


def _reason(profile: Profile, streams: Streams, planted: bool) -> str:
    if planted and streams.reason.yes(facts.PROMPT.reason_share):
        return facts.PROMPT.reason
    others = tuple(pair for pair in profile.reasons if not (planted and pair[0] == facts.PROMPT.reason))
    return pick(others, streams.rng.random())


def _edit(call: Call, verb: Any, streams: Streams, share: float, fields: dict[str, Any]) -> Call:
    """Replace about `share` of a draft's words by words that are not in it: the severity is then exactly
    replaced / all, whatever computes the distance."""
    rng = streams.rng
    draft = rng.choices(_WORDS, k=rng.randrange(18, 41))
    replaced = round(share * len(draft))
    if 0.25 < replaced / len(draft) < 0.35:  # clear of the threshold, where the last bit would decide
        replaced = int(0.25 * len(draft))
    final = list(draft)
    for place in rng.sample(range(len(draft)), replaced):
        final[place] = rng.choice(_CHANGED)
    said = _about(call, verb, streams, {**fields, "draft": " ".join(draft), "final": " ".join(final)})
    said.severity = replaced / len(draft)
    return said


def _about(call: Call, verb: Any, streams: Streams, fields: dict[str, Any]) -> Call:
    about = {
        name: call.fields[name]
        for name in ("use_case", "prompt_version", "response_model", "response_id", "session_id")
    }
    return Call(after(call.at, streams.rng, (20, 900)), call.app, verb, about | fields, call.user)
