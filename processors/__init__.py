"""What turns a batch into rows and facts: `pipeline` does, the other modules decide.

decode -> attribute -> price -> authorise -> write -> tell. Knows `uptake.schemas` and the shared modules only.
"""
