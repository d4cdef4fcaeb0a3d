"""What a call of each app looks like: model, tokens, latency, and what people make of the answer.

Figures are invented, of the size that such apps have. Token means are per call, log-normally spread.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from uptake.demo import facts
from uptake.demo.patterns import Quota


@dataclass(frozen=True, slots=True)
class Profile:
    """One app. Shares are of calls; `use_cases` are weights by name."""

    app: str
    provider: str
    model: str
    use_cases: tuple[tuple[str, float], ...]
    data_class: str
    input_tokens: int
    output_tokens: int
    cached: float = 0.0
    reasoning: float = 0.0
    prompt: str = "v1"
    decided: float = 0.0
    overridden: float = 0.0
    thumbed: float = 0.0
    thumbs_down: float = 0.0
    edited: float = 0.0
    answer_cache: float = 0.0
    alternative: tuple[str, str] | None = None
    alternative_every: int = 0
    reasons: tuple[tuple[str, float], ...] = field(
        default=(("incorrect", 0.24), ("incomplete", 0.28), ("wrong_tone", 0.12), ("wrong_format", 0.14),
                 ("outdated", 0.08), ("preference", 0.08), ("other", 0.06))
    )  # fmt: skip


PROFILES = {
    profile.app: profile
    for profile in (
        Profile(
            "claims-letter", "openai", "gpt-5.6-sol",
            (("settlement-letter", 0.8), ("information-request", 0.2)), "personal",
            input_tokens=60_000, output_tokens=1_800, cached=0.45, reasoning=0.3, prompt="v13",
            decided=0.46, overridden=facts.PROMPT.overridden_before, thumbed=0.05, thumbs_down=0.09,
        ),
        Profile(
            "case-summary", "openai", "gpt-5.6-luna", (("summary", 1.0),), "personal",
            input_tokens=22_000, output_tokens=700, cached=0.2, prompt="v5", thumbed=0.09, thumbs_down=0.08,
        ),
        Profile(
            "underwriting-assistant", "anthropic", "claude-sonnet-5-5",
            (("risk-note", 0.6), ("clause-check", 0.4)), "confidential",
            input_tokens=26_000, output_tokens=1_100, cached=0.5, prompt="v8",
            edited=0.09, thumbed=0.08, thumbs_down=0.07,
        ),
        Profile(
            "broker-mail", "mistral", "mistral-large-4", (("reply", 0.75), ("offer", 0.25)), "internal",
            input_tokens=34_000, output_tokens=900, cached=0.1, prompt="v3", decided=0.36, overridden=0.11,
        ),
        Profile(
            "service-desk", "openai", "gpt-5.6-terra", (("answer", 0.7), ("reply-draft", 0.3)), "internal",
            input_tokens=9_000, output_tokens=500, cached=0.3, prompt="v21", thumbed=0.08, thumbs_down=0.1,
            answer_cache=0.06, alternative=(facts.UNPRICED.provider, facts.UNPRICED.model),
            alternative_every=facts.UNPRICED.every,
        ),
    )
}  # fmt: skip

SHADOW = Profile(
    facts.SHADOW.app, "openai", facts.SHADOW.model, (("tender-answer", 1.0),), facts.SHADOW.data_class,
    input_tokens=11_000, output_tokens=900,
)  # fmt: skip

_ERRORS = (("rate_limited", 0.6), ("timeout", 0.25), ("content_filter", 0.15))


@dataclass(slots=True)
class Streams:
    """The running draws of one app: a random stream, and quotas that keep the planted shares."""

    rng: random.Random
    error: Quota
    decided: Quota
    reason: Quota
    thumb: Quota
    down: Quota
    edited: Quota
    verdicts: dict[str, Quota] = field(default_factory=dict)
    calls: int = 0

    @classmethod
    def of(cls, seed: int, app: str) -> Streams:
        rng = random.Random(f"{seed}:{app}")
        error, decided, reason, thumb, down, edited = (Quota(rng) for _ in range(6))
        return cls(rng, error, decided, reason, thumb, down, edited)

    def verdict(self, prompt: str) -> Quota:
        """Each prompt version has its own: its share of overrides is planted."""
        if prompt not in self.verdicts:
            self.verdicts[prompt] = Quota(self.rng)
        return self.verdicts[prompt]


def pick(weighted: tuple[tuple[str, float], ...], at: float) -> str:
    """The entry of a weighted list that `at`, of [0, 1), falls on."""
    at *= sum(weight for _, weight in weighted)
    for name, weight in weighted:
        at -= weight
        if at < 0:
            return name
    return weighted[-1][0]


def call(profile: Profile, streams: Streams, when: datetime, use_case: str) -> dict[str, Any]:
    """The fields of one usage event, as the SDK takes them."""
    rng = streams.rng
    streams.calls += 1
    provider, model = profile.provider, profile.model
    if profile.alternative and streams.calls % profile.alternative_every == 0:
        provider, model = profile.alternative
    spread = math.exp(rng.gauss(-0.08, 0.4))
    tokens_in = max(200, int(profile.input_tokens * spread))
    tokens_out = max(20, int(profile.output_tokens * math.exp(rng.gauss(-0.06, 0.35))))
    fields: dict[str, Any] = {
        "use_case": use_case,
        "operation": "chat",
        "provider": provider,
        "request_model": model,
        "response_model": model,
        "prompt_version": prompt_at(profile, use_case, when),
        "data_class": profile.data_class,
        "input_tokens": tokens_in,
        "cache_read_input_tokens": int(tokens_in * profile.cached * rng.uniform(0.7, 1.3)),
        "output_tokens": tokens_out,
        "reasoning_output_tokens": int(tokens_out * profile.reasoning),
        "duration_ms": 350 + int(tokens_out * rng.uniform(7, 14)),
        "time_to_first_token_ms": rng.randrange(180, 900),
    }
    if provider == facts.UNPRICED.provider:
        return fields
    if streams.error.yes(0.012):
        # The provider answered with an error: nothing was read, written or billed, and the app knows it.
        fields |= {"status": "error", "error_type": pick(_ERRORS, rng.random()), "input_tokens": 0,
                   "output_tokens": 0, "cache_read_input_tokens": 0, "reasoning_output_tokens": 0}  # fmt: skip
        del fields["time_to_first_token_ms"]
    elif profile.answer_cache and rng.random() < profile.answer_cache:
        fields |= {"cache_hit": True, "duration_ms": rng.randrange(4, 20), "time_to_first_token_ms": 3}
    return fields


def prompt_at(profile: Profile, use_case: str, when: datetime) -> str:
    """The prompt version that answers a use case at a moment."""
    change = facts.PROMPT
    if (profile.app, use_case) == (change.app, change.use_case):
        return change.after if when >= change.at else change.before
    return "v6" if use_case == "information-request" else profile.prompt
