"""Organisations of people for tests, and what a KPI about them must say, counted without SQL."""
