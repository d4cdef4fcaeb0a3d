"""A large organisation, the same in every run: 200 departments of three teams, 12,000 people, 13 weeks of events."""
