"""Personal data leaves the text: found by Presidio's recognisers, replaced by typed placeholders.

`step`         the step `Redact`: text and the user's own columns of a batch
`text`         `redact_text`: spans found, overlaps resolved, placeholders set, until nothing is left to find
`marked`       where marked places stand in a redacted text
`fields`       `redact_json`: the same inside a JSON object
`urls`         `redact_url`: e-mail addresses in a URL
`recognisers`  Presidio's recognisers, one a kind, without a language model and without network
`gates`        where in a text a recogniser has to look at all
"""

from __future__ import annotations

from curation.redact.fields import redact_json
from curation.redact.step import Redact
from curation.redact.text import redact_text

__all__ = ["Redact", "redact_json", "redact_text"]
