"""The worker: a Faust app with thin agents around the pipeline, and its own way of acknowledging.

`acks` decides what may be committed, `gather` what is written together, `liveness` whether the process is stuck:
pure. `conveyor` carries takes from the log to the database, `faust_app` holds Faust to the rules.
See docs/adr/0008.
"""
