"""The panels of the page, in the order of their `ORDER`. A new panel is a new file here; no list has to be edited.

A panel module has `ORDER: int`, `TITLE: str` and `render(ledger) -> Html`. Its ledger comes from `tables.open_tables`.
"""
