"""Configuration as code: one directory of YAML and CSV that says who, what, how much and where to.

`models` are the files' shapes, `load` reads them with file and line for every fault (`check` lists them),
`crosscheck` compares them, `roster` publishes the people to the database, `starter` is what `uptake init` writes.
Nothing is imported here: whoever decides by `models` must not load a database client with it.
"""
