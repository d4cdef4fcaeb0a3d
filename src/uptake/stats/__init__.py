"""Statistics behind what a KPI says. Pure: counts in, values with their uncertainty out. Shares are between 0 and 1.

Each module names the publication its formula is from, and its test compares with numbers that were printed there.
What is not known is None, never 0. Nothing here imports scipy before it is called: the command line starts without it.
"""

from __future__ import annotations

from uptake.stats.bootstrap import Difference, bootstrap_difference
from uptake.stats.drift import DRIFT, Drift, drift, psi
from uptake.stats.forecast import Forecast, forecast
from uptake.stats.nps import Nps, nps, nps_groups
from uptake.stats.pareto import Bar, pareto
from uptake.stats.quantiles import bucket_bounds, quantile_of_buckets, quantile_of_counts
from uptake.stats.shares import (
    ALPHA,
    Change,
    compare_intervals,
    compare_pairs,
    compare_shares,
    mcnemar_exact,
    newcombe,
    wilson,
)
from uptake.stats.survival import Step, Survival, kaplan_meier

__all__ = [
    "ALPHA",
    "DRIFT",
    "Bar",
    "Change",
    "Difference",
    "Drift",
    "Forecast",
    "Nps",
    "Step",
    "Survival",
    "bootstrap_difference",
    "bucket_bounds",
    "compare_intervals",
    "compare_pairs",
    "compare_shares",
    "drift",
    "forecast",
    "kaplan_meier",
    "mcnemar_exact",
    "newcombe",
    "nps",
    "nps_groups",
    "pareto",
    "psi",
    "quantile_of_buckets",
    "quantile_of_counts",
    "wilson",
]
