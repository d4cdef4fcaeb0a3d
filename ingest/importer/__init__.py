"""Files of events: CSV, NDJSON or Parquet, with a map from columns to fields. Doing it twice changes nothing.

`run.import_file` is the way in. `mapping` is the map, `readers` give rows with their lines, `values` and `times`
read cells, `convert` makes a row an event; `run` sends them in batches and says what became of each row.
"""
