"""Which numbers of people are too small to be shown, and what hides them from subtraction. Pure."""

from uptake.sql.suppression.people import MINIMUM_PEOPLE, shown_people
from uptake.sql.suppression.shown import Shown, ShownParts, Why

__all__ = ["MINIMUM_PEOPLE", "Shown", "ShownParts", "Why", "shown_people"]
