"""What runs tasks: this machine's processes (`local`), or Spark (`spark`). Engines move tasks and blobs, never documents.

- `engine`   the protocol that both keep
- `opening`  one of them by its name
- `freed_memory`  kept by processes that work
- `local`    processes of this machine
- `spark`    the one door to Spark
"""
