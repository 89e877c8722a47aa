"""The row of numbers by which a block is judged: what stands in which column.

Columns are in the order in which models were fitted; a new one means a new model. Of `a0` to `a4`, the ancestors of a block, each
has more blocks than the one before. Shares of words are weighted sums divided by the sum of words.
"""

from __future__ import annotations

from curation.extract.main_text.kernels.tags import FLAGS

ANCESTORS = 5
NEIGHBOURS = 3  # before and after
PAGE_NUMBERS = 40
PAGE_TYPES = ("article", "documentation", "service", "forum", "listing", "collection", "product")

NAMES: list[str] = []


def _columns(names: str) -> int:
    first = len(NAMES)
    NAMES.extend(names.split())
    return first


OWN = _columns(
    "words chars link emph comma sent digit upper nonascii endp startup titlecase symbol currency wlen br img input seps"
    " title_share title_cover desc_share"
)
TAGGED = _columns("tag itag ptag gtag hlevel depth kids nlist")
FLAGGED = _columns(" ".join(f"f_{flag}" for flag in FLAGS))
LINEAR = _columns("s_near s_far s_text s_all s_min s_max s_head")
POSITION = _columns("idx wpos wbefore wafter srcpos srcgap")
ANCESTRY = _columns(
    " ".join(f"a{k}_{x}" for k in range(ANCESTORS) for x in ("words", "link", "blocks", "sent", "share", "lin", "rep"))
)
ANCESTOR_COLUMNS = 7
RECORD = _columns("rec_level rec_count rec_words rec_blocks rec_link rec_text")
GROUP = _columns("grp_count grp_words grp_link grp_lin grp_sent")
NEIGHBOUR = _columns(
    " ".join(f"{side}{k}_{x}" for side in "pn" for k in (1, 2, 3) for x in ("words", "link", "lin", "tag"))
)
SAME_PARENT = _columns("p1_same n1_same")
WINDOW = _columns("win_words win_link win_lin win_sent wide_words wide_link wide_lin")
HEADING = _columns("h_blocks h_words h_level h_link h_title h_next h1_words h1_is_first h_lin")
COPIES = _columns("dup_count dup_first")
BEST = _columns("best_in best_par_in best_up best_share best_before best_after")
PAGE = _columns(
    "pg_blocks pg_words pg_link pg_pwords pg_heads pg_imgs pg_inputs pg_h1 pg_main pg_articles pg_cur pg_lin pg_sent pg_li"
    " pg_ns pg_long pg_rep pg_rec pg_comment pg_scripts pg_urlseg pg_urldig pg_types pg_avg pg_code pg_td "
    + " ".join(f"ty{k}" for k in range(12))
    + " og_article og_product"
)
FIRST_STAGE = len(NAMES)  # columns that the first stage reads; the second reads all
CONTEXT = _columns(
    "p q_p1 q_p2 q_p3 q_n1 q_n2 q_n3 w3 w8 w20 "
    + " ".join(f"qa{k}" for k in range(ANCESTORS))
    + " q_grp q_sec q_head q_page q_pagew q_before q_after q_rank q_first q_last q_gap q_dup q_rec q_top q_neg q_nexthead"
    " q_dupmax q_dupsum"
)
GROUP_CHANCES = _columns("qg_likely qg_share qg_weight")
RECORD_CHANCES = _columns(
    " ".join(
        f"{level}_{x}"
        for level in ("qr", "qo")
        for x in "count mean likely list list_share list_weight list_link".split()
    )
)
RECORD_COLUMNS = 7
SECTION_CHANCES = _columns("qs_mean qs_share qs_weight qs_head")
PART_CHANCES = _columns("qp_mean qp_likely qp_share qp_weight qp_link qp_place")
TYPE_CHANCES = _columns(" ".join(f"pt{k}" for k in range(len(PAGE_TYPES))))
FEATURES = len(NAMES)


def column(name: str) -> int:
    """The column of a name."""
    return NAMES.index(name)
