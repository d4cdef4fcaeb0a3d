"""The demo: a synthetic insurer's thirteen weeks, sent through the real parts, with facts planted in it.

facts          what is planted: weeks, teams, days and sizes, as data
organisation   who works there, with which apps (one seed)
files          the same organisation as workspace files
patterns       when people work; draws that keep their quota
apps           what a call of each app looks like, and what people make of its answers
events         thirteen weeks of SDK calls
oracle         the planted facts computed from that list in plain Python, without the SQL or the pipeline; beside it
               oracle_people and oracle_answers, every KPI of the digests; terms says what counts
feed, run      the drive through SDK, gateway, pipeline, ticks; show prints it
"""
