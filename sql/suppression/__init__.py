"""Which numbers of people are too small to be shown, and what hides them from subtraction. Pure."""

from uptake.sql.suppression.overlay import Earlier
from uptake.sql.suppression.people import MINIMUM_PEOPLE, shown_people
from uptake.sql.suppression.shown import BothShown, Shown, ShownParts, Why

__all__ = ["MINIMUM_PEOPLE", "BothShown", "Earlier", "Shown", "ShownParts", "Why", "shown_people"]
