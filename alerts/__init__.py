"""From numbers to people: budgets, findings and digests become messages, messages become deliveries.

budgets, findings, digest   decide (pure: rows and now in, values out)
message → render            one neutral message, drawn for Slack, terminal and HTML (pure)
outbox → deliver            said once: facts are rows, sending is leased
scheduler                   a tick; the ledger decides what is due
"""
