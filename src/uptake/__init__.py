"""Uptake: whether an organisation's LLM apps are adopted, trusted, affordable and allowed.

Importing this package gives the SDK's public surface and nothing heavier: it is what an app developer
imports into an LLM app.
"""
