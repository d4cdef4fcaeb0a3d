"""The state store: what must survive a restart and is not an event."""
