"""The weekly digest's phrases, apart because there are many. See `phrases`."""

from __future__ import annotations

Phrase = str | tuple[str, str]

DIGEST: dict[str, tuple[Phrase, Phrase]] = {
    "digest.title.weekly": (
        "{audience} · week {week}, {days} ({zone})",
        "{audience} · semaine {week}, {days} ({zone})",
    ),
    "digest.title.monthly": (
        "{audience} · {month} ({zone})",
        "{audience} · {month} ({zone})",
    ),
    "digest.title.quarterly": (
        "{audience} · quarter {week}, {days} ({zone})",
        "{audience} · trimestre {week}, {days} ({zone})",
    ),
    "digest.caption.weekly": ("Key figures of the week", "Chiffres clés de la semaine"),
    "digest.caption.monthly": ("What the month cost", "Ce que le mois a coûté"),
    "digest.caption.quarterly": ("What people made of it", "Ce que l’on en a fait"),
    "digest.kpi": ("KPI", "Indicateur"),
    "digest.value.weekly": ("This week", "Cette semaine"),
    "digest.value.monthly": ("This month", "Ce mois-ci"),
    "digest.value.quarterly": ("This quarter", "Ce trimestre"),
    "digest.target": ("Target", "Objectif"),
    "digest.change": ("Against {week}", "Par rapport à {week}"),
    "digest.partial.weekly": (
        "It is compared with nothing and judged by no target; {whole} will be the first whole week.",
        "Elle n’est comparée à rien ni jugée sur un objectif\xa0; première semaine entière\xa0: {whole}.",
    ),
    "digest.partial.monthly": (
        "It is compared with nothing and judged by no target; {whole} will be the first whole month.",
        "Il n’est comparé à rien ni jugé sur un objectif\xa0; premier mois entier\xa0: {whole}.",
    ),
    "digest.partial.quarterly": (
        "It is compared with nothing and judged by no target; {whole} will be the first whole quarter.",
        "Il n’est comparé à rien ni jugé sur un objectif\xa0; premier trimestre entier\xa0: {whole}.",
    ),
    "digest.first.weekly": (
        "First whole week: data begin on {since}, so there is none to compare it with.",
        "Première semaine entière\xa0: les données commencent le {since}, il n’y a rien à quoi la comparer.",
    ),
    "digest.first.monthly": (
        "First whole month: data begin on {since}, so there is none to compare it with.",
        "Premier mois entier\xa0: les données commencent le {since}, il n’y a rien à quoi le comparer.",
    ),
    "digest.first.quarterly": (
        "First whole quarter: data begin on {since}, so there is none to compare it with.",
        "Premier trimestre entier\xa0: les données commencent le {since}, il n’y a rien à quoi le comparer.",
    ),
    "digest.silent": (
        "There are no data for {week} to compare it with.",
        "Aucune donnée pour {week}\xa0: il n’y a rien à quoi comparer.",
    ),
    "digest.short_week": ("W{week:02d}", "S{week:02d}"),
    "digest.short_quarter": ("Q{quarter}", "T{quarter}"),
    "kpi.adoption": ("Adoption", "Adoption"),
    "kpi.override_rate": ("Override rate", "Taux de correction"),
    "kpi.thumbs_down": ("Thumbs down", "Avis négatifs"),
    "kpi.spend": ("Spend", "Dépenses"),
    "kpi.unauthorised_share": ("Unauthorised", "Non autorisé"),
    "kpi.habits": ("Habitual users", "Utilisateurs réguliers"),
    "kpi.habits_4_weeks": ("Habitual users (4 weeks)", "Utilisateurs réguliers (4 semaines)"),
    "kpi.lifecycle": ("Where people stand", "Où en sont les personnes"),
    "kpi.stickiness": ("Stickiness", "Assiduité"),
    "kpi.breadth": ("Use cases a person", "Cas d’usage par personne"),
    "kpi.active_users": ("Active users", "Utilisateurs actifs"),
    "kpi.error_rate": ("Errors", "Erreurs"),
    "kpi.latency": ("Latency, median", "Latence médiane"),
    "kpi.cost_per_call": ("Cost a request", "Coût par requête"),
    "kpi.cost_per_active_user": ("Cost an active user", "Coût par utilisateur actif"),
    "kpi.cost_per_accepted": ("Cost an accepted answer", "Coût par réponse acceptée"),
    "kpi.wasted_spend": ("Spent on rejected answers", "Dépensé en réponses rejetées"),
    "kpi.seats": ("Seats in use", "Licences utilisées"),
    "kpi.nps": ("Promoter score", "Score de recommandation"),
    "kpi.edit_severity": ("Edit severity, median", "Ampleur médiane des retouches"),
    "kpi.retention": ("Still there after 4 weeks", "Toujours là après 4 semaines"),
    "kpi.reasons": ("Overrides without a usable reason", "Corrections sans motif exploitable"),
    "kpi.cache_saving": ("Saved by caching", "Économisé par le cache"),
    "kpi.shadow_gap": ("Billed and not attributed", "Facturé et non attribué"),
    "kpi.activation": ("Activated within 4 weeks", "Activés en 4 semaines"),
    "kpi.time_to_first_use": ("Time to first use, median", "Délai médian avant le premier usage"),
    "kpi.champions": (
        "Adoption, teams with a champion less those without (points)",
        "Adoption, équipes avec référent moins sans (points)",
    ),
    "kpi.tokens": ("Tokens", "Tokens"),
    # cells
    "cell.no_data": ("no data", "pas de données"),
    "cell.suppressed": ("not shown: fewer than 5 people", "masqué\xa0: moins de 5 personnes"),
    "cell.few_of": ("fewer than 5 of {denominator}", "moins de 5 sur {denominator}"),
    "cell.hidden_of": ("not shown, of {denominator}", "masqué, sur {denominator}"),
    "cell.hidden": ("not shown", "masqué"),
    "cell.standing": ("{target} · {state}", "{target} · {state}"),
    "cell.days": (("{n} day", "{n} days"), ("{n} jour", "{n} jours")),
    "cell.of": ("{share} ({numerator} of {denominator})", "{share} ({numerator} sur {denominator})"),
    "cell.interval": ("{share} [{low}–{high}]", "{share} [{low}–{high}]"),
    "cell.of_spend": ("{share} of the cost of calls", "{share} du coût des appels"),
    "cell.at_least": ("at least {amount}", "au moins {amount}"),
    "cell.from": ("≥ {amount}", "≥ {amount}"),
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
    "change.hidden_before": ("not shown for {week}", "masqué pour {week}"),
    "change.was": ("{value} in {week}", "{value} en {week}"),
    "change.because": ("{change}: {because}", "{change}\xa0: {because}"),
    "change.forecast": ("forecast {amount}", "prévision {amount}"),
    "change.p95": ("one in twenty takes {value} or more", "un sur vingt prend {value} ou plus"),
    "change.of_decided": ("{share} of what decided answers cost", "{share} du coût des réponses traitées"),
    "change.answers": (("{n} answer", "{n} answers"), ("{n} réponse", "{n} réponses")),
    "change.edited": (
        ("{n} edited answer", "{n} edited answers"),
        ("{n} réponse retouchée", "{n} réponses retouchées"),
    ),
    "change.idle_seats": (
        ("{n} seat idle", "{n} seats idle"),
        ("{n} licence inutilisée", "{n} licences inutilisées"),
    ),
    "change.idle_seats_cost": (
        ("{n} seat idle, {cost} a month", "{n} seats idle, {cost} a month"),
        ("{n} licence inutilisée, {cost} par mois", "{n} licences inutilisées, {cost} par mois"),
    ),
    "because.mostly": ("mostly {what} ({size})", "surtout {what} ({size})"),
    "because.team": (
        "mostly {team} (there: usage {usage}, roster {roster})",
        "surtout {team} (là\xa0: usage {usage}, effectif {roster})",
    ),
    "because.reason": (
        "“{reason}” is {share} of the reasons ({before} before)",
        "«\xa0{reason}\xa0» motive {share} d’entre elles ({before} avant)",
    ),
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
    "verdict.part.weekly": (
        "Only part of this week is known, from {day} on.",
        "Une partie seulement de cette semaine est connue, à partir du {day}.",
    ),
    "verdict.part.monthly": (
        "Only part of this month is known, from {day} on.",
        "Une partie seulement de ce mois est connue, à partir du {day}.",
    ),
    "verdict.part.quarterly": (
        "Only part of this quarter is known, from {day} on.",
        "Une partie seulement de ce trimestre est connue, à partir du {day}.",
    ),
    "verdict.no_data.weekly": (
        "There is no data for this week: that is not the same as no use.",
        "Aucune donnée pour cette semaine\xa0: cela ne veut pas dire aucun usage.",
    ),
    "verdict.no_data.monthly": (
        "There is no data for this month: that is not the same as no use.",
        "Aucune donnée pour ce mois\xa0: cela ne veut pas dire aucun usage.",
    ),
    "verdict.no_data.quarterly": (
        "There is no data for this quarter: that is not the same as no use.",
        "Aucune donnée pour ce trimestre\xa0: cela ne veut pas dire aucun usage.",
    ),
    "verdict.use": (
        ("{n} person used it.", "{n} people used it."),
        ("{n} personne l’a utilisée.", "{n} personnes l’ont utilisée."),
    ),
    "verdict.use_unknown": (
        "How many people used it is not known or not shown.",
        "Le nombre de personnes qui l’ont utilisée est inconnu ou masqué.",
    ),
    "verdict.spend_unknown": ("Spend is not known.", "Les dépenses ne sont pas connues."),
    "verdict.spend_first": ("Spend was {amount}.", "Dépenses\xa0: {amount}."),
    "verdict.spend_holds": (
        "Spend holds: {amount} ({before} the month before).",
        "Dépenses stables\xa0: {amount} ({before} le mois précédent).",
    ),
    "verdict.spend_up": (
        "Spend rose to {amount} from {before}{cause}.",
        "Les dépenses montent à {amount}, contre {before}{cause}.",
    ),
    "verdict.spend_down": (
        "Spend fell to {amount} from {before}{cause}.",
        "Les dépenses descendent à {amount}, contre {before}{cause}.",
    ),
    "verdict.nps_first": (
        "The promoter score stands at {value}.",
        "Le score de recommandation est à {value}.",
    ),
    "verdict.nps_holds": (
        "The promoter score is {value}, no clear change.",
        "Score de recommandation à {value}, pas d’évolution nette.",
    ),
    "verdict.nps_up": (
        "The promoter score rose to {value}.",
        "Le score de recommandation progresse à {value}.",
    ),
    "verdict.nps_down": (
        "The promoter score fell to {value}.",
        "Le score de recommandation recule à {value}.",
    ),
    "verdict.override_rate_first": (
        "People override {value} of the answers.",
        "{value} des réponses sont corrigées.",
    ),
    "verdict.override_rate_holds": (
        "People override {value} of the answers, no clear change.",
        "{value} des réponses sont corrigées, pas d’évolution nette.",
    ),
    "verdict.override_rate_up": (
        "People override more of the answers: {value}.",
        "Davantage de réponses sont corrigées\xa0: {value}.",
    ),
    "verdict.override_rate_down": (
        "People override fewer of the answers: {value}.",
        "Moins de réponses sont corrigées\xa0: {value}.",
    ),
    "verdict.judgement_unknown": (
        "Nobody has said what they think of the answers.",
        "Personne n’a dit ce qu’il pense des réponses.",
    ),
    "verdict.adoption_suppressed": (
        "Adoption is not shown for a group this small.",
        "L’adoption n’est pas affichée pour un groupe aussi petit.",
    ),
    "verdict.adoption_hidden": (
        "Adoption is not shown: it would say too much of a few people.",
        "L’adoption n’est pas affichée\xa0: elle en dirait trop sur quelques personnes.",
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
    "verdict.seats": (
        ("{n} seat is idle, {cost} a month.", "{n} seats are idle, {cost} a month."),
        ("{n} licence est inutilisée, {cost} par mois.", "{n} licences sont inutilisées, {cost} par mois."),
    ),
    "verdict.quiet": ("Nothing else stands out.", "Rien d’autre à signaler."),
}
