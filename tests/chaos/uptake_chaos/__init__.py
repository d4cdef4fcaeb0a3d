"""The chaos harness: real processes, real kills, a seeded generator of events and an oracle that counts on its own.

    make chaos                          the short form: every fault for some seconds
    make chaos KILLS=100 SEED=1234      the long one, with a report

Nothing here imports the processors: what the oracle expects is worked out again, in plain Python.
"""
