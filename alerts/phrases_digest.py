"""The weekly digest's phrases, apart because there are many. See `phrases`."""

from __future__ import annotations

Phrase = str | tuple[str, str]

DIGEST: dict[str, tuple[Phrase, Phrase]] = {
    "digest.title": (
        "{audience} · week {week}, {days} ({zone})",
        "{audience} · semaine {week}, {days} ({zone})",
    ),
    "digest.caption": ("Key figures of the week", "Chiffres clés de la semaine"),
    "digest.kpi": ("KPI", "Indicateur"),
    "digest.value": ("This week", "Cette semaine"),
    "digest.target": ("Target", "Objectif"),
    "digest.change": ("Against {week}", "Par rapport à {week}"),
    "digest.short_week": ("W{week:02d}", "S{week:02d}"),
    "kpi.adoption": ("Adoption", "Adoption"),
    "kpi.override_rate": ("Override rate", "Taux de correction"),
    "kpi.thumbs_down": ("Thumbs down", "Avis négatifs"),
    "kpi.spend": ("Spend", "Dépenses"),
    "kpi.unauthorised_share": ("Unauthorised", "Non autorisé"),
    # cells
    "cell.no_data": ("no data", "pas de données"),
    "cell.suppressed": ("not shown: fewer than 5 people", "masqué\xa0: moins de 5 personnes"),
    "cell.of": ("{share} ({numerator} of {denominator})", "{share} ({numerator} sur {denominator})"),
    "cell.interval": ("{share} [{low}–{high}]", "{share} [{low}–{high}]"),
    "cell.of_spend": ("{share} of the cost of calls", "{share} du coût des appels"),
    "cell.at_least": ("at least {amount}", "au moins {amount}"),
    "cell.unknown": ("not known", "inconnu"),
    "cell.unknown_at_most": ("not known, at most {amount}", "inconnu, au plus {amount}"),
    "cell.at_most": ("≤ {share}", "≤ {share}"),
    "cell.no_target": ("–", "–"),
    "cell.no_budget": ("no budget", "pas de budget"),
    "cell.budgets": (("{n} budget", "{n} budgets"), ("{n} budget", "{n} budgets")),
    "cell.month": ("{amount} a month", "{amount} par mois"),
    "cell.week": ("{amount} a week", "{amount} par semaine"),
    # changes
    "change.none_before": ("no data for {week}", "pas de données pour {week}"),
    "change.points": (("{points} pt", "{points} pts"), ("{points} pt", "{points} pts")),
    "change.clear": ("clear change", "évolution nette"),
    "change.unclear": ("no clear change", "pas d’évolution nette"),
    "change.parts": (
        "{difference}, {verdict}: usage {usage}, roster {roster}{moves}",
        "{difference}, {verdict}\xa0: usage {usage}, effectif {roster}{moves}",
    ),
    "change.plain": ("{difference}, {verdict}", "{difference}, {verdict}"),
    "change.joined": (("{n} joined", "{n} joined"), ("{n} arrivée", "{n} arrivées")),
    "change.left": (("{n} left", "{n} left"), ("{n} départ", "{n} départs")),
    "change.decided": (
        ("{share} of {n} answer was decided", "{share} of {n} answers were decided"),
        ("{share} de {n} réponse traitée", "{share} de {n} réponses traitées"),
    ),
    "change.rated": (
        ("{share} of {n} answer was rated", "{share} of {n} answers were rated"),
        ("{share} de {n} réponse notée", "{share} de {n} réponses notées"),
    ),
    "change.spend": ("{amount} in {week}", "{amount} en {week}"),
    "change.budget": (
        "{share} used, {gone} of {period} gone",
        "{share} consommés, {gone} de {period} écoulés",
    ),
    "change.named_budget": (
        "{name}: {share} of {amount} used, {gone} of {period} gone",
        "{name}\xa0: {share} de {amount} consommés, {gone} de {period} écoulés",
    ),
    "change.unpriced": (
        ("{n} call without a price, at most {upper} more", "{n} calls without a price, at most {upper} more"),
        ("{n} appel sans prix, au plus {upper} de plus", "{n} appels sans prix, au plus {upper} de plus"),
    ),
    "change.unpriced_open": (
        ("{n} call without a price", "{n} calls without a price"),
        ("{n} appel sans prix", "{n} appels sans prix"),
    ),
    "change.costs_without_rate": (
        ("{n} cost in a currency without a rate", "{n} costs in a currency without a rate"),
        ("{n} coût dans une devise sans taux", "{n} coûts dans une devise sans taux"),
    ),
    "change.new_findings": (
        ("{n} new finding", "{n} new findings"),
        ("{n} nouveau signalement", "{n} nouveaux signalements"),
    ),
    "change.known_findings": (("{n} known", "{n} known"), ("{n} connu", "{n} connus")),
    "change.unauthorised_calls": (("{n} call", "{n} calls"), ("{n} appel", "{n} appels")),
    # verdict: first adoption, then what presses most
    "verdict.no_data": (
        "There is no data for this week: that is not the same as no use.",
        "Aucune donnée pour cette semaine\xa0: cela ne veut pas dire aucun usage.",
    ),
    "verdict.adoption_suppressed": (
        "Adoption is not shown for a group this small.",
        "L’adoption n’est pas affichée pour un groupe aussi petit.",
    ),
    "verdict.adoption_unknown": ("Adoption is not known.", "L’adoption n’est pas connue."),
    "verdict.adoption_first": ("Adoption stands at {share}.", "L’adoption est à {share}."),
    "verdict.adoption_holds": ("Adoption holds.", "Adoption stable."),
    "verdict.adoption_up": ("Adoption rose to {share}.", "L’adoption progresse à {share}."),
    "verdict.adoption_down": ("Adoption fell to {share}.", "L’adoption recule à {share}."),
    "verdict.adoption_roster": (
        "Adoption is lower because the roster grew, not because people stopped.",
        "L’adoption baisse parce que l’effectif a grandi, pas parce que l’on décroche.",
    ),
    "verdict.adoption_holds_above": (
        "Adoption holds, and is clearly up from {share} in {week}.",
        "Adoption stable, en nette hausse depuis {week} ({share}).",
    ),
    "verdict.adoption_holds_below": (
        "Adoption holds against last week, but is clearly down from {share} in {week}.",
        "Adoption stable sur une semaine, mais en net recul depuis {week} ({share}).",
    ),
    "verdict.adoption_unclear": (
        "Adoption shows no clear change.",
        "L’adoption ne montre pas d’évolution nette.",
    ),
    "verdict.adoption_unclear_above": (
        "Adoption shows no clear change against last week, but is clearly up from {share} in {week}.",
        "Pas d’évolution nette de l’adoption sur une semaine, mais en nette hausse depuis {week} ({share}).",
    ),
    "verdict.adoption_unclear_below": (
        "Adoption shows no clear change against last week, but is clearly down from {share} in {week}.",
        "Pas d’évolution nette de l’adoption sur une semaine, mais en net recul depuis {week} ({share}).",
    ),
    "verdict.overrides_up_prompt": (
        "Overrides jumped{since} with {app}, prompt {prompt}: look at it first.",
        "Les corrections ont bondi{since} avec {app}, prompt {prompt}\xa0: à regarder en premier.",
    ),
    "verdict.on_day": (" on {day}", " {day}"),
    "verdict.overrides_up": ("Overrides jumped to {share}.", "Les corrections bondissent à {share}."),
    "verdict.overrides_down": ("Overrides fell to {share}.", "Les corrections reculent à {share}."),
    "verdict.thumbs_up": ("Thumbs down rose to {share}.", "Les avis négatifs montent à {share}."),
    "verdict.budget": ("{name} is over budget.", "{name}\xa0: budget dépassé."),
    "verdict.budget_maybe": ("{name} may be over budget.", "{name}\xa0: budget peut-être dépassé."),
    "verdict.finding": (
        ("{n} unauthorised use is new.", "{n} unauthorised uses are new."),
        ("{n} usage non autorisé est nouveau.", "{n} usages non autorisés sont nouveaux."),
    ),
    "verdict.quiet": ("Nothing else stands out.", "Rien d’autre à signaler."),
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
        "{name}: {share} of {amount} used{left}. Cut the dearest calls, or raise it in budgets.yaml.",
        "{name}\xa0: {share} de {amount} consommés{left}. Réduire les appels les plus chers, "
        "ou relever le montant dans budgets.yaml.",
    ),
    "next.budget_maybe": (
        "{name}: at least {share} of {amount} used{left}, and what has no price or rate may take it over. "
        "Add what is missing to prices.yaml or fx.yaml.",
        "{name}\xa0: au moins {share} de {amount} consommés{left}, et ce qui n’a ni prix ni taux peut suffire à "
        "le dépasser. Compléter prices.yaml ou fx.yaml.",
    ),
    "next.days_left": (
        (" with {n} day of {period} left", " with {n} days of {period} left"),
        (", {n} jour restant ({period})", ", {n} jours restants ({period})"),
    ),
    "next.over": (", and {period} is over", ", la période est close ({period})"),
    "next.idle": (
        "{n} of {of} eligible people in {team} have used nothing in {weeks} weeks{champion}.",
        "{n} des {of} personnes éligibles de {team} n’ont rien utilisé en {weeks} semaines{champion}.",
    ),
    "next.no_champion": (", and the team has no champion", ", et l’équipe n’a pas de référent"),
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
    "chart.title": ("{n} weeks: adoption, override rate", "{n} semaines\xa0: adoption, corrections"),
    "chart.summary_line": (
        "{name}: {first} in {from_week}, {last} in {to_week}",
        "{name}\xa0: {first} en {from_week}, {last} en {to_week}",
    ),
    "footer.complete": ("{share} of events complete", "événements complets à {share}"),
    "footer.complete_unknown": ("completeness not known", "complétude inconnue"),
    "footer.late": ("{share} late", "{share} en retard"),
    "footer.unpriced": ("{share} of tokens unpriced", "{share} des tokens sans prix"),
    "footer.until": ("data until {moment}", "données jusqu’à {moment}"),
    "footer.no_data": ("no event in this week", "aucun événement cette semaine"),
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
