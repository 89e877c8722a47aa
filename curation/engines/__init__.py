"""What runs tasks: this machine's processes (`local`), or Spark (`spark`). Engines move tasks and blobs, never documents.

- `engine`  the protocol that both keep, and how one is chosen
- `local`   processes of this machine
- `spark`   the one door to Spark
"""
