"""A parsed page as arrays: its elements ("nodes"), its blocks of text, what its head says, and the state of the parser.

A node is an element that is not void, in the order of start tags; node 0 is the page. A block is a run of text between
block-level boundaries. Nodes refer to blocks by ranges, so that what is true of a subtree is a difference of prefix sums.
"""

from __future__ import annotations

from typing import NamedTuple

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s

# Columns of nodes
(
    PARENT,  # node, -1 for the page
    TAG,
    DEPTH,
    FIRST_WORD,  # range of the words of class, id, role and itemprop in `words`
    WORDS_END,
    FIRST_BLOCK,  # range of the blocks inside
    BLOCKS_END,
    BLOCK_PARENT,  # nearest block-level node around it, -1 for the page
    CHILDREN,
    IS_BLOCK,
    INHERITED,  # its flags and those of all nodes around it (see `tags.FLAGS`), as 32 bits
    NODE_SOURCE,  # where its start tag begins in the page's bytes
    TEXT_FROM,  # range of `text` inside; white space at its start may be part of it
    TEXT_TO,
    ADDRESS_START,  # range of the page's bytes that <a href> gives
    ADDRESS_END,
    COMMENTS,  # 1 where it says itself that readers comment there
) = range(17)
NODE_COLUMNS = 17

# Columns of blocks
(
    TEXT_START,  # range in `text`
    TEXT_END,
    BLOCK_NODE,  # innermost block-level node
    INNER_NODE,  # innermost node of the first character
    LINKED,  # bytes inside of links, and inside of <b> or <strong>
    EMPHASISED,
    IMAGES,  # <img> and <input> since the block before
    INPUTS,
    BREAKS,  # <br>
    SOURCE,  # where its first character ends in the page's bytes
    SEAMS,  # `</span><span>`, read as a space
) = range(11)
BLOCK_COLUMNS = 11

# Columns of gaps
(
    GAP_AT,  # place in `text`, of a blank or at the start of a block
    TABS,  # that stand there in the page
    BLANKS,  # that follow; none where two inline elements in code touch; BREAK for a <br>
) = range(3)
GAP_COLUMNS = 3
BREAK = -1

# Places of facts
(
    NODES,
    BLOCKS,
    TEXT_BYTES,
    TITLE_START,  # ranges in the page's bytes
    TITLE_END,
    DESCRIPTION_START,
    DESCRIPTION_END,
    CANONICAL_START,
    CANONICAL_END,
    TYPE_BITS,  # of JSON-LD, and from bit OPEN_GRAPH on of og:type
    JSON_COUNT,
    SCRIPTS,
    ALL_IMAGES,
    ALL_INPUTS,
    FIRST_JSON,  # start and end of each JSON-LD script
) = range(15)
MAX_JSON = 20
FIRST_META = (
    FIRST_JSON + 2 * MAX_JSON
)  # start and end of what the first metas of each name say (see `metadata.META_NAMES`)
METAS_OF_NAME = 6
MAX_META_NAMES = 80
FACTS = FIRST_META + 2 * METAS_OF_NAME * MAX_META_NAMES
OPEN_GRAPH = 16

# Places of the parser's state
(
    NODE_COUNT,
    BLOCK_COUNT,
    TEXT_SIZE,
    WORD_COUNT,
    OPEN,  # nodes on the stack
    TOO_DEEP,  # elements open that the stack has no room for
    INNER_BLOCK,  # innermost block-level node
    IN_PRE,
    IN_BLOCK,  # whether a block is under way
    OWES_SPACE,  # white space has been read since the last character
    BLOCK_START,  # of the block under way: as the columns of blocks
    BLOCK_OF,
    INNER_OF,
    BLOCK_LINKED,
    BLOCK_EMPHASISED,
    BLOCK_BREAKS,
    BLOCK_SEAMS,
    BLOCK_SOURCE,
    IMAGES_SEEN,
    INPUTS_SEEN,
    BREAKS_RUN,  # <br> in a row
    AFTER_INLINE_END,  # the last thing read was the end tag of an inline element
    UNCLOSED,  # how many quotes, comments and raw elements without end have been given up
    TABS_SEEN,  # in <pre>, since the last character
    BLANKS_SEEN,
    GAP_COUNT,
    GAP_BYTES,  # tabs and blanks of all gaps
    AT_SEAM,  # the blank that is owed is for a seam in <code> alone
) = range(28)
STATE = 28

MAX_OPEN = 512  # elements on the stack; deeper ones are counted and their text belongs to the one above
MAX_UNCLOSED = 4  # a search to the page's end that finds nothing is repeated so often
NODE_WORDS = 28  # words of one element


class Page(NamedTuple):
    """The page's bytes and the arrays that the parser fills in, all given by the caller and larger than what is used.

    html         uint8[bytes], read-only, UTF-8
    nodes        int32[nodes, NODE_COLUMNS]
    signatures   uint64[nodes]: hash of tag and class names; siblings of one kind have the same
    blocks       int32[blocks, BLOCK_COLUMNS]
    text         uint8: the text of all blocks, entities decoded, white space squeezed; `entities.GROWTH` times the page's bytes
    words        uint32: hashes of words in attributes
    gaps         int32[gaps, GAP_COLUMNS]: where the page has other white space than the blank in `text`, which is all that the
                 blocks are judged by: indentation in <pre>, <br>
    facts        int64[FACTS]
    state        int64[STATE]
    stack        int64[MAX_OPEN]: open nodes
    open_counts  int64[TAGS]: how many elements of each tag are open
    """

    html: Bytes
    nodes: Int32s
    signatures: UInt64s
    blocks: Int32s
    text: Bytes
    words: Bytes
    gaps: Int32s
    facts: Int64s
    state: Int64s
    stack: Int64s
    open_counts: Int64s
