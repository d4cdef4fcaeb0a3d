"""Configuration as code: one directory of YAML and CSV that says who, what, how much and where to.

`models` are the files' shapes, `load` reads them with file and line for every error, `starter` is what
`uptake init` writes.
"""
