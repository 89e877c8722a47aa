"""The doors: one file a job.

Each runs as a `corpusmill` command, on its own (`spark-submit jobs/curate.py …`), and as an import.

No logic lives here: a job reads its arguments, calls one function of a room below and prints what came of it.
"""
