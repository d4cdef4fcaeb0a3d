"""The contract between an LLM app and Uptake: events, batches, reasons, topics.

Knows nobody else in the project. Importing the package itself is light (no pydantic), because the SDK
uses `uptake.schemas.identity` and `uptake.schemas.taxonomy` inside other people's apps; the models are in
`uptake.schemas.events`.
"""
