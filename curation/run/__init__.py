"""The run folder and what travels through it: the floor that every step and pass stands on.

- `documents`  the document batch, its columns, the step protocol, verdicts
- `split`      the unit of work
- `receipt`    the small file that says that a split is done
- `folder`     where everything lies in a run folder
- `ledger`     every document's fate, written by the passes and read by the auditor
- `manifest`   what a run is made from and what it made; `manifest_search` reads just what a question needs of it
- `merkle`     one hash for all files of a run, and proofs that a file is among them
- `version`    ours
- `parquet_output`  Parquet whose bytes do not depend on how rows arrived
- `heartbeat`  how far a split has come
"""
