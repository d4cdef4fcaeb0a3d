"""The distributed mode: what a process of each kind is made of, started and stopped in order."""
