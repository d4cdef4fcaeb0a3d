"""What Uptake says, in English and French. Pure; numbers come formatted (`formats`).

Each phrase is written in its language, not translated word by word. A phrase with a plural is a pair, chosen by the
locale's own rule (French counts 0 as singular). In French a no-break space (\xa0) stands before : ; ? ! and %.
"""

from __future__ import annotations

from collections.abc import Mapping

from babel import Locale

from uptake.alerts.formats import Language, count
from uptake.alerts.phrases_digest import DIGEST
from uptake.alerts.phrases_more import MORE

Phrase = str | tuple[str, str]

_OF_DIGESTS = DIGEST | MORE

PHRASES: Mapping[str, tuple[Phrase, Phrase]] = _OF_DIGESTS | {
    # budgets
    "budget.title": (
        "{name}, {period}: {verdict} · {spent} of {amount}{gone}",
        "{name}, {period}\xa0: {verdict} · {spent} sur {amount}{gone}",
    ),
    "budget.days_gone": (
        (" with {n} of {total} days gone", " with {n} of {total} days gone"),
        (", {n} jour sur {total} écoulé", ", {n} jours sur {total} écoulés"),
    ),
    "budget.over_with_period": (", the period is over", ", la période est close"),
    "budget.used": ("{share} used", "{share} consommés"),
    "budget.at_limit": ("budget used up", "budget épuisé"),
    "budget.over": ("over budget", "budget dépassé"),
    "budget.maybe_over": ("may be over budget", "budget peut-être dépassé"),
    "budget.resets": ("resets {moment} ({zone})", "remise à zéro {moment} ({zone})"),
    "budget.ended": (
        "ended {moment} ({zone}); late events can still be added",
        "close {moment} ({zone})\xa0; des événements tardifs peuvent s’ajouter",
    ),
    "budget.contact": ("contact: {contact}", "contact\xa0: {contact}"),
    "budget.unpriced": (
        (
            "{n} call has no price: known are {known}, at most it is {upper}. The alert goes by the upper bound.",
            "{n} calls have no price: known are {known}, at most it is {upper}. The alert goes by the upper bound.",
        ),
        (
            "{n} appel n’a pas de prix\xa0: {known} sont certains, {upper} le maximum. L’alerte suit le maximum.",
            "{n} appels n’ont pas de prix\xa0: {known} sont certains, {upper} le maximum. L’alerte suit le maximum.",
        ),
    ),
    "budget.upper_only": (
        "Known are {known}. Some costs have no rate in fx.yaml, so how much more it is, is not known; "
        "the alert counts {upper}.",
        "{known} sont certains. Des coûts n’ont pas de taux dans fx.yaml\xa0: le reste est inconnu\xa0; "
        "l’alerte compte {upper}.",
    ),
    "budget.last_day": (
        "Last 24 h: {recent} against a usual {usual} a day.",
        "Dernières 24 h\xa0: {recent}, contre {usual} par jour d’habitude.",
    ),
    "budget.last_day_no_usual": (
        "Last 24 h: {recent}; there is too little history to say what is usual.",
        "Dernières 24 h\xa0: {recent}\xa0; trop peu d’historique pour dire ce qui est habituel.",
    ),
    "budget.driver": ("{app} on {model} {rise}", "{app} avec {model} {rise}"),
    "budget.driver_no_model": ("{app} {rise}", "{app} {rise}"),
    "budget.together": (
        "Crossed at once: {thresholds}.",
        "Seuils franchis d’un coup\xa0: {thresholds}.",
    ),
    "budget.trail": ("↳ {moment}  {threshold}", "↳ {moment}  {threshold}"),
    "state.watch": ("watch", "à suivre"),
    "state.warn": ("warn", "alerte"),
    "state.breach": ("breach", "dépassement"),
    "why.inactive": ("not in force today", "hors de sa période de validité"),
    "why.below": (
        "{share} used; the next threshold is {next}",
        "{share} consommés\xa0; prochain seuil à {next}",
    ),
    "why.said": (
        "{share} used; {thresholds} said before, the next threshold is {next}",
        "{share} consommés\xa0; {thresholds} déjà signalés, prochain seuil à {next}",
    ),
    "why.all_said": (
        "{share} used; every threshold was said before",
        "{share} consommés\xa0; tous les seuils ont déjà été signalés",
    ),
    "why.fired": (
        "{share} used; said now: {thresholds}",
        "{share} consommés\xa0; signalé maintenant\xa0: {thresholds}",
    ),
    # buttons
    "button.acknowledge": ("Acknowledge", "Prendre en charge"),
    "button.snooze": ("Snooze until…", "Reporter à…"),
    "button.register": ("Register it (14 days’ grace)", "L’inscrire (14 jours de grâce)"),
    "button.not_ours": ("Not ours", "Pas à nous"),
    # findings
    "finding.unregistered_app": ("Unregistered app “{app}”", "Application non déclarée «\xa0{app}\xa0»"),
    "finding.outside_validity": (
        "“{app}” is used outside its registered period",
        "«\xa0{app}\xa0» est utilisée hors de sa période de validité",
    ),
    "finding.team_not_allowed": (
        "“{app}” is used by {subject}, who may not",
        "«\xa0{app}\xa0» est utilisée par {subject}, sans autorisation",
    ),
    "finding.use_case_not_allowed": (
        "“{app}” is used for “{subject}”, which is not registered",
        "«\xa0{app}\xa0» sert à «\xa0{subject}\xa0», un usage non déclaré",
    ),
    "finding.model_not_allowed": (
        "“{app}” uses {subject}, which it may not",
        "«\xa0{app}\xa0» utilise {subject}, modèle non autorisé",
    ),
    "finding.data_class_not_allowed": (
        "“{app}” handles “{subject}” data, which it may not",
        "«\xa0{app}\xa0» traite des données «\xa0{subject}\xa0» sans autorisation",
    ),
    "finding.team_not_allowed_unnamed": (
        "“{app}” is used by people who are in no team of the roster",
        "«\xa0{app}\xa0» est utilisée par des personnes qui ne sont dans aucune équipe",
    ),
    "finding.use_case_not_allowed_unnamed": (
        "“{app}” does not say what it is used for, and its registration lists use cases",
        "«\xa0{app}\xa0» ne dit pas à quoi elle sert, alors que ses usages sont déclarés",
    ),
    "finding.data_class_not_allowed_unnamed": (
        "“{app}” does not say what data it handles, and its registration lists data classes",
        "«\xa0{app}\xa0» ne dit pas quelles données elle traite, alors qu’elles sont déclarées",
    ),
    "finding.other": ("“{app}” breaks the rule {rule}", "«\xa0{app}\xa0» enfreint la règle {rule}"),
    "finding.first_seen": ("first seen {moment}", "vue pour la première fois {moment}"),
    "finding.calls": (("{n} call", "{n} calls"), ("{n} appel", "{n} appels")),
    "finding.in_teams": ("{what} in {teams}", "{what} dans {teams}"),
    "finding.of_spend": (
        "{share} of what {teams} spent in the same days",
        "{share} des dépenses de {teams} sur les mêmes jours",
    ),
    "finding.unpriced": (
        ("{n} call has no price: at most {upper}", "{n} calls have no price: at most {upper}"),
        ("{n} appel sans prix\xa0: au plus {upper}", "{n} appels sans prix\xa0: au plus {upper}"),
    ),
    "finding.cost_unknown": ("cost not known", "coût inconnu"),
    "finding.uses_models": ("It uses {models}", "Elle utilise {models}"),
    "finding.with_data": (" with data class {classes}", " avec des données {classes}"),
    "finding.allowed_for": (
        "The registry allows that for {apps} only.",
        "Le registre ne l’autorise que pour {apps}.",
    ),
    "finding.allowed_for_none": (
        "The registry allows that for no app.",
        "Le registre ne l’autorise pour aucune application.",
    ),
    "finding.instead_models": ("The registry allows {names}.", "Le registre autorise {names}."),
    "finding.instead_use_cases": ("Registered use cases: {names}.", "Usages déclarés\xa0: {names}."),
    "finding.instead_teams": ("Teams that may use it: {names}.", "Équipes autorisées\xa0: {names}."),
    "finding.instead_data": ("Data classes that it may handle: {names}.", "Données autorisées\xa0: {names}."),
    "finding.valid_between": (
        "It is registered from {first} to {after} (exclusive).",
        "Elle est déclarée du {first} au {after} (exclu).",
    ),
    "finding.valid_from": ("It is registered from {first}.", "Elle est déclarée à partir du {first}."),
    "finding.valid_to": ("Its registration ended on {after}.", "Sa déclaration a pris fin le {after}."),
    "finding.owner": ("Owner: {owner}.", "Responsable\xa0: {owner}."),
    "finding.how": (
        "To allow it, change its entry in apps.yaml; to stop it, talk to whoever runs it.",
        "Pour l’autoriser, modifier son entrée dans apps.yaml\xa0; pour l’arrêter, voir avec qui l’exploite.",
    ),
    "finding.how_roster": (
        "To allow it, add them to roster.csv with a team that may use it; to stop it, talk to whoever runs the app.",
        "Pour l’autoriser, les ajouter à roster.csv dans une équipe autorisée\xa0; pour l’arrêter, voir avec "
        "qui l’exploite.",
    ),
    "finding.how_event": (
        "To allow it, let the app say it with its events, or take the list out of apps.yaml.",
        "Pour l’autoriser, faire dire à l’application ce qu’elle fait, ou retirer la liste d’apps.yaml.",
    ),
    "finding.how_app": (
        "To allow it, add it to apps.yaml; to stop it, talk to whoever runs it.",
        "Pour l’autoriser, la déclarer dans apps.yaml\xa0; pour l’arrêter, voir avec qui l’exploite.",
    ),
    "flood.team_not_allowed": (
        "“{app}” is used by {n} teams that may not",
        "«\xa0{app}\xa0» est utilisée par {n} équipes, sans autorisation",
    ),
    "flood.use_case_not_allowed": (
        "“{app}” is used for {n} use cases that are not registered",
        "«\xa0{app}\xa0» sert à {n} usages non déclarés",
    ),
    "flood.model_not_allowed": (
        "“{app}” uses {n} models that it may not",
        "«\xa0{app}\xa0» utilise {n} modèles non autorisés",
    ),
    "flood.data_class_not_allowed": (
        "“{app}” handles {n} classes of data that it may not",
        "«\xa0{app}\xa0» traite {n} classes de données sans autorisation",
    ),
    "flood.other": (
        "“{app}” breaks the rule {rule} in {n} ways",
        "«\xa0{app}\xa0» enfreint la règle {rule} de {n} façons",
    ),
    "flood.examples": (
        "Among them {names}. The others are in `uptake findings`.",
        "Dont {names}. Les autres sont dans `uptake findings`.",
    ),
    # people
    "people": (("{n} person", "{n} people"), ("{n} personne", "{n} personnes")),
    "people.at_least": (
        ("at least {n} person", "at least {n} people"),
        ("au moins {n} personne", "au moins {n} personnes"),
    ),
    "people.few": ("fewer than 5 people", "moins de 5 personnes"),
    "people.unknown": ("nobody named", "personne d’identifié"),
    "no_team": ("no team", "aucune équipe"),
}


def say(key: str, locale: Language, **values: object) -> str:
    """The phrase in `locale`, with `values` put in."""
    phrase = PHRASES[key][locale == "fr"]
    if not isinstance(phrase, str):
        raise TypeError(f"{key} has a plural: use counted()")
    return phrase.format(**values)


def counted(key: str, locale: Language, number: int, **values: object) -> str:
    """The phrase in the form that `number` asks for; `{n}` is the number as it is written."""
    phrase = PHRASES[key][locale == "fr"]
    if isinstance(phrase, str):
        raise TypeError(f"{key} has no plural: use say()")
    form = phrase[Locale.parse(locale).plural_form(number) != "one"]
    return form.format(n=count(number, locale), **values)
