"""Reason codes for feedback: a fixed, versioned list plus codes that an app declares for itself.

Standard library only (the SDK imports it). A code of the app's own starts with ``app:``. The list grows by
new codes; a code never changes its meaning. Version 1 follows what reviewers of drafted texts write down in
practice: what is wrong with the content, with the form, with the fit, and that nothing of this applies.
"""

from __future__ import annotations

import re

TAXONOMY_VERSION = 1
"""The version of the list below. The SDK says it with the reasons; who says none means version 1."""

REASONS: dict[str, str] = {
    "incorrect": "states something false",
    "incomplete": "leaves out something that is needed",
    "outdated": "was right once",
    "unsupported": "claims something that its sources do not say",
    "irrelevant": "answers another question",
    "wrong_tone": "does not speak as the organisation speaks",
    "wrong_format": "has the wrong shape, length or language",
    "unclear": "cannot be understood or used as it is",
    "policy": "breaks a rule of the organisation",
    "unsafe": "could do harm",
    "privacy": "shows data that it should not",
    "too_slow": "came too late to be used",
    "preference": "is right; the person wants it differently",
    "other": "something that is not on this list",
}

APP_REASON = r"app:[a-z0-9][a-z0-9_.-]{0,47}"
"""The form of a code of the app's own, as a regular expression without anchors."""

_APP_REASON = re.compile(APP_REASON)


def is_reason(code: str) -> bool:
    """Whether `code` may stand in an event: on the list, or of the form ``app:lower_case``."""
    return code in REASONS or _APP_REASON.fullmatch(code) is not None
