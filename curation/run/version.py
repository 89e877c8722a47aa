"""The version that stands in plans and receipts; `pyproject.toml` reads it here."""

VERSION = "0.1.0"
