"""Claims with a command: `corpusmill prove order | layouts | resume | reshard | backends | mutants`.

Each prints a table and, as its last line, one figure; it holds or it does not. All of it runs on one processor core or more, in
fp32, with up to four processes over gloo.

- `toy_run`   a small run of uneven documents             - `obvious_plan`  the data's plan, slowly
- `toy`, `toy_rank`  cases on it, each a few steps in some layout; `uneven` makes their batches
- `order`     the plan against the slow one               - `layouts`   every layout against one process
- `resume`    killed, stopped, resumed: the same bits     - `reshard`   saved in one layout, loaded in another
- `backends`  reference against megatron                  - `mutants`   known bugs, each of which a proof has to catch
"""
