"""The digests' phrases below the table: what to do, targets, the thread, the footer, reasons. See `phrases`."""

from __future__ import annotations

from uptake.alerts.phrases_digest import Phrase

MORE: dict[str, tuple[Phrase, Phrase]] = {
    # do next
    "next.title": ("Do next", "À faire"),
    "next.prompt": (
        "{place}, prompt {prompt}: {share} overridden against {usual} with {other}{reason}. Compare or roll back.",
        "{place}, prompt {prompt}\xa0: {share} de corrections contre {usual} avec {other}{reason}. "
        "Comparer ou revenir en arrière.",
    ),
    "next.reason": (
        "; “{reason}” is {share} of the reasons",
        "\xa0; «\xa0{reason}\xa0» motive {share} d’entre elles",
    ),
    "next.unregistered": (
        "{app} is not in the registry: {calls} and {cost} this week{teams}. Register it or stop it.",
        "{app} n’est pas au registre\xa0: {calls} et {cost} cette semaine{teams}. La déclarer ou l’arrêter.",
    ),
    "next.unregistered_unknown": (
        "{app} is not in the registry: {calls} this week{teams}, cost not known, at most {upper}. "
        "Register it or stop it.",
        "{app} n’est pas au registre\xa0: {calls} cette semaine{teams}, coût inconnu, au plus {upper}. "
        "La déclarer ou l’arrêter.",
    ),
    "next.in_teams": (" in {teams}", " dans {teams}"),
    "next.budget": (
        "Budget {name}: {share} of {amount} used{left}. Cut the dearest calls, or raise it in budgets.yaml.",
        "Budget {name}\xa0: {share} de {amount} consommés{left}. Réduire les appels les plus chers, "
        "ou relever le montant dans budgets.yaml.",
    ),
    "next.budget_maybe": (
        "Budget {name}: at least {share} of {amount} used{left}, and what has no price or rate may take it over. "
        "Add what is missing to prices.yaml or fx.yaml.",
        "Budget {name}\xa0: au moins {share} de {amount} consommés{left}, et ce qui n’a ni prix ni taux peut suffire à "
        "le dépasser. Compléter prices.yaml ou fx.yaml.",
    ),
    "next.days_left": (
        (" with {n} day of {period} left", " with {n} days of {period} left"),
        (", {n} jour restant ({period})", ", {n} jours restants ({period})"),
    ),
    "next.over": (", and {period} is over", ", la période est close ({period})"),
    "next.incomplete": (
        (
            "Only {share} of the events that apps handed over arrived ({n} dropped): see `uptake doctor` and SDK logs.",
            "Only {share} of the events that apps handed over arrived ({n} dropped): see `uptake doctor` and SDK logs.",
        ),
        (
            "Seuls {share} des événements des applications sont arrivés ({n} abandonné)\xa0: voir `uptake doctor`.",
            "Seuls {share} des événements des applications sont arrivés ({n} abandonnés)\xa0: voir `uptake doctor`.",
        ),
    ),
    "next.seats": (
        (
            "{n} seat has been idle for four weeks{cost}{where}. Take it back, or ask why.",
            "{n} seats have been idle for four weeks{cost}{where}. Take them back, or ask why.",
        ),
        (
            "{n} licence inutilisée depuis quatre semaines{cost}{where}. La reprendre, ou demander pourquoi.",
            "{n} licences inutilisées depuis quatre semaines{cost}{where}. Les reprendre, ou demander pourquoi.",
        ),
    ),
    "next.most_in": (
        "; the largest part in {team} ({idle} of {of})",
        "\xa0; la plus grande part dans {team} ({idle} sur {of})",
    ),
    "next.gap": (
        "{share} of what providers billed ({amount} of {billed}) is explained by no call: look for keys that are used "
        "outside the registered apps.",
        "{share} de ce que les fournisseurs facturent ({amount} sur {billed}) ne correspond à aucun appel\xa0: "
        "chercher les clés utilisées hors des applications déclarées.",
    ),
    "next.a_month": (", {amount} a month", ", {amount} par mois"),
    "next.shifted": (
        "Why people override has shifted: “{reason}” is {share} of the reasons against {before}. Read some answers.",
        "Les motifs de correction changent\xa0: «\xa0{reason}\xa0» à {share}, contre {before}. Relire des réponses.",
    ),
    "next.target_behind": (
        "{kpi} is behind its target: {value} on the way to {target} by {due}. {owner} owns it.",
        "{kpi} en retard sur l’objectif\xa0: {value}, pour {target} le {due}. Responsable\xa0: {owner}.",
    ),
    "next.target_missed": (
        "{kpi} missed its target: {value} instead of {target} by {due}. {owner} owns it: set a new one.",
        "{kpi}\xa0: objectif manqué, {value} au lieu de {target} le {due}. {owner} en fixe un nouveau.",
    ),
    "next.unpriced": (
        "{share} of the tokens went to models without a price: add them to prices.yaml, or spend stays a lower bound.",
        "{share} des tokens vont à des modèles sans prix\xa0: compléter prices.yaml, les dépenses sont un minimum.",
    ),
    "target.reached": ("reached", "atteint"),
    "target.on_track": ("on track", "en bonne voie"),
    "target.behind": ("behind", "en retard"),
    "target.missed": ("missed", "manqué"),
    "target.unclear": ("cannot be told yet", "trop tôt pour le dire"),
    "target.open": ("open", "en cours"),
    "target.unknown": ("not known", "inconnu"),
    "target.short": ("{points} to go", "encore {points}"),
    "target.why": ("{state}: {why}", "{state}\xa0: {why}"),
    "target.closed.no_baseline": ("no baseline", "pas de point de départ"),
    "target.closed.shared": ("no baseline of its own", "pas de départ propre"),
    "target.closed.partial": ("known in part", "connu en partie"),
    "target.closed.undated": (
        "the baseline does not say when and how it was taken",
        "le point de départ ne dit ni quand ni comment il a été mesuré",
    ),
    "target.closed.definition": (
        "not compared, the KPI is defined otherwise since the baseline",
        "non comparé, la définition a changé depuis le point de départ",
    ),
    "target.closed.apps": (
        "not compared, the registered apps are others than at the baseline",
        "non comparé, les applications ne sont plus celles du point de départ",
    ),
    "details.team": ("Team", "Équipe"),
    "details.teams": ("By team", "Par équipe"),
    "details.beside": ("Further figures", "Autres chiffres"),
    "details.lifecycle": (
        "Where {people} people with a seat stand",
        "Où en sont {people} personnes avec licence",
    ),
    "details.reason": ("Reason", "Motif"),
    "details.reasons": ("Why answers were overridden", "Pourquoi des réponses ont été corrigées"),
    "details.count": ("Given", "Cité"),
    "details.share": ("Share", "Part"),
    "details.drift_clear": (
        "The reasons are others than in {week} (population stability index {psi}: above 0.2, and beyond chance).",
        "Les motifs se répartissent autrement qu’en {week} (indice de stabilité {psi}, au-delà de 0,2 et du hasard).",
    ),
    "details.drift_unclear": (
        "No clear shift of reasons against {week} (population stability index {psi}).",
        "Pas de glissement net des motifs par rapport à {week} (indice de stabilité {psi}).",
    ),
    "details.targets": ("Targets", "Objectifs"),
    "details.target.kpi": ("KPI", "Indicateur"),
    "details.target.baseline": ("From", "Départ"),
    "details.target.target": ("To", "Objectif"),
    "details.target.progress": ("Way done", "Chemin fait"),
    "details.target.away": ("none: further away", "aucun\xa0: on s’en éloigne"),
    "details.target.state": ("State", "État"),
    "details.target.due": ("Due", "Échéance"),
    "details.target.owner": ("Owner", "Responsable"),
    "details.budgets": ("Budgets at the period’s end", "Budgets à la fin de la période"),
    "details.budget.name": ("Budget", "Budget"),
    "details.budget.used": ("Used", "Consommé"),
    "details.budget.amount": ("Amount", "Montant"),
    "details.budget.gone": ("Time gone", "Temps écoulé"),
    "details.budget.forecast": ("Forecast, 80 % interval", "Prévision, intervalle à 80\xa0%"),
    "details.budget.error": ("Last one off by", "Écart de la précédente"),
    "details.too_little_history": ("too little history", "historique trop court"),
    "part.new": ("new", "nouveaux"),
    "part.retained": ("retained", "fidèles"),
    "part.reactivated": ("back again", "de retour"),
    "part.at_risk": ("at risk: not this week", "à risque\xa0: pas cette semaine"),
    "part.lapsed": ("lapsed: not for four weeks", "perdus\xa0: pas depuis quatre semaines"),
    "part.never": ("never in a year", "jamais en un an"),
    "part.never_so_far": ("never so far", "jamais jusqu’ici"),
    "next.idle": (
        "{n} of {of} eligible people in {team} have used nothing in {weeks} weeks{champion}.",
        "{n} des {of} personnes éligibles de {team} n’ont rien utilisé en {weeks} semaines{champion}.",
    ),
    "next.no_champion": (", and the team has no champion", ", et l’équipe n’a pas de référent"),
    "next.name_champion": (" Name one there.", " Y nommer un référent."),
    "next.ask_them": (" Ask what keeps them.", " Leur demander ce qui les retient."),
    "next.champions": (
        " Teams with one stand at {with_one}, without at {without} "
        "(difference {points} pts [{low}–{high}]; a difference, not a proven cause).",
        " Les équipes qui en ont un sont à {with_one}, les autres à {without} "
        "(écart de {points} pts [{low}–{high}]\xa0; un écart, pas une cause établie).",
    ),
    # restated after late data
    "restated.notice": (
        "Restated {moment} after late or corrected data: {changes}.",
        "Chiffres révisés {moment} après des données tardives ou rectifiées\xa0: {changes}.",
    ),
    "restated.back": (
        "Restated {moment} after late or corrected data: the figures are again those first sent.",
        "Chiffres révisés {moment} après des données tardives ou rectifiées\xa0: ce sont de nouveau ceux du "
        "premier envoi.",
    ),
    "restated.change": ("{name} {before} → {after}", "{name} {before} → {after}"),
    "restated.beside": ("{name} ({columns})", "{name} ({columns})"),
    "restated.below": ("figures below the table", "des chiffres sous le tableau"),
    # chart and footer
    "chart.title.weekly": ("{n} weeks: {names}", "{n} semaines\xa0: {names}"),
    "chart.title.monthly": ("{n} months: {names}", "{n} mois\xa0: {names}"),
    "chart.title.quarterly": ("{n} quarters: {names}", "{n} trimestres\xa0: {names}"),
    "chart.summary_line": (
        "{name}: {first} in {from_week}, {last} in {to_week}",
        "{name}\xa0: {first} en {from_week}, {last} en {to_week}",
    ),
    "footer.complete": ("{share} of events complete", "événements complets à {share}"),
    "footer.complete_unknown": ("completeness not known", "complétude inconnue"),
    "footer.late": ("{share} late", "{share} en retard"),
    "footer.unpriced": ("{share} of tokens unpriced", "{share} des tokens sans prix"),
    "footer.until": ("data until {moment}", "données jusqu’à {moment}"),
    "footer.no_data.weekly": ("no event in this week", "aucun événement cette semaine"),
    "footer.no_data.monthly": ("no event in this month", "aucun événement ce mois-ci"),
    "footer.no_data.quarterly": ("no event in this quarter", "aucun événement ce trimestre"),
    "footer.definitions": ("definitions v{version}", "définitions v{version}"),
    # reason codes, see schemas/taxonomy.py
    "reason.incorrect": ("incorrect", "inexact"),
    "reason.incomplete": ("incomplete", "incomplet"),
    "reason.outdated": ("outdated", "périmé"),
    "reason.unsupported": ("unsupported", "sans source"),
    "reason.irrelevant": ("irrelevant", "hors sujet"),
    "reason.wrong_tone": ("wrong tone", "ton inadapté"),
    "reason.wrong_format": ("wrong format", "mauvais format"),
    "reason.unclear": ("unclear", "peu clair"),
    "reason.policy": ("against a rule", "contraire à une règle"),
    "reason.unsafe": ("unsafe", "dangereux"),
    "reason.privacy": ("privacy", "vie privée"),
    "reason.too_slow": ("too slow", "trop lent"),
    "reason.preference": ("preference", "préférence"),
    "reason.other": ("other", "autre"),
}
