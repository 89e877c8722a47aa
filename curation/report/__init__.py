"""The auditor's page of a run: one file, `RUN/report/index.html`, that opens in a browser and asks for nothing else.

- `markup`      markup from parts; the one place where a string becomes HTML
- `tables`      the run's ledger as SQL tables, and questions to them
- `thresholds`  what the run's recipe asks of which measure
- `charts`      axes, histograms, lines and bars as inline SVG;  `binning` counts a column into their bars
- `flow_chart`  the way of the documents as a Sankey diagram
- `panels/`     one file a panel, found by scanning: `ORDER`, `TITLE` and `render(ledger) -> Html`
- `page`        the panels under one style and one content security policy, written into the run

No panel reads a document more than it shows: figures are aggregates of the ledger, made by DuckDB. The page holds no clock
and no path of a machine, so that the same run gives the same bytes.
"""
