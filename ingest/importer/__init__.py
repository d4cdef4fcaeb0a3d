"""Files of events: CSV, NDJSON or Parquet, with a map from columns to fields. Doing it twice changes nothing.

`mapping` is the map, `readers` give rows with their lines, `values` and `times` read cells, `convert` makes a row
an event, `run` sends them in batches and says what became of each row.
"""

from uptake.ingest.importer.report import ImportReport, Progress, Rejected
from uptake.ingest.importer.run import import_file

__all__ = ["ImportReport", "Progress", "Rejected", "import_file"]
