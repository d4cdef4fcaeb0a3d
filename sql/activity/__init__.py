"""Activity: what people did, added up by local day. A cache of FINAL, used only where it is known to be exact.

`days` decides, `reader` says what may be read from it, `refresh` builds it, `verify` compares it with FINAL.
"""
