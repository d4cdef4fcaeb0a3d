"""The few words that renderers add of their own, in English and French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "cut": " … (cut)",
        "rows": "… {n} more rows not shown",
        "parts": "… {n} more parts not shown",
        "labels": "not drawn: {names}",
        "details": "Details",
        "piece": "{title} ({n} of {of})",
        "references": "How each number is computed",
        "continues": "continues in the thread",
        "contents": "Contents",
        "figures": "The figures",
    },
    "fr": {
        "cut": " … (coupé)",
        "rows": "… {n} lignes de plus, non affichées",
        "parts": "… {n} parties de plus, non affichées",
        "labels": "non dessinés\xa0: {names}",
        "details": "Détails",
        "piece": "{title} ({n} sur {of})",
        "references": "Comment chaque chiffre est calculé",
        "continues": "suite dans le fil",
        "contents": "Sommaire",
        "figures": "Les chiffres",
    },
}

_KINDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "weekly": "Weekly digest",
        "monthly": "Monthly digest",
        "quarterly": "Quarterly digest",
        "budget": "Budget",
        "finding": "Unauthorised use",
    },
    "fr": {
        "weekly": "Point hebdomadaire",
        "monthly": "Point mensuel",
        "quarterly": "Point trimestriel",
        "budget": "Budget",
        "finding": "Usage non autorisé",
    },
}


def kind_word(kind: str, locale: str) -> str:
    """What sort of message it is: a digest's cadence, or its kind."""
    return _KINDS[locale][kind]


def cut_word(locale: str) -> str:
    return _WORDS[locale]["cut"]


def rows_left_out(count: int, locale: str) -> str:
    return _WORDS[locale]["rows"].format(n=count)


def parts_left_out(count: int, locale: str) -> str:
    return _WORDS[locale]["parts"].format(n=count)


def labels_left_out(labels: Sequence[str], locale: str) -> str:
    return _WORDS[locale]["labels"].format(names=", ".join(labels))


def details_word(locale: str) -> str:
    return _WORDS[locale]["details"]


def references_word(locale: str) -> str:
    return _WORDS[locale]["references"]


def continues_word(locale: str) -> str:
    return _WORDS[locale]["continues"]


def piece_of(title: str, n: int, of: int, locale: str) -> str:
    """The title of one of several pieces of the same thing."""
    return _WORDS[locale]["piece"].format(title=title, n=n, of=of) if of > 1 else title


def contents_word(locale: str) -> str:
    return _WORDS[locale]["contents"]


def figures_word(locale: str) -> str:
    return _WORDS[locale]["figures"]
