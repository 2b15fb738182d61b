"""Codes of Facebook's own, beside those of the Graph API, and what they mean for a post.

Source: a well-kept client's table (Postiz, 21 August 2026), seen there in production.
"""

from __future__ import annotations

from platforms.meta_graph import Known

CODES: dict[int, Known] = {
    1_363_047: Known("unavailable", "Publishing is not available at the moment.", 60.0),
    1_366_046: Known("rejected", "A photo is too large: Facebook takes JPEG and PNG below 4 MB."),
    1_366_051: Known("duplicate", "The same photos were posted before."),
    1_346_003: Known("rejected", "Facebook takes the content as a breach of its rules."),
    1_404_102: Known("rejected", "Facebook takes the content as a breach of its rules."),
    1_390_008: Known("rate_limited", "The page posts too fast.", 900.0),
    1_404_078: Known("auth", "The page needs Facebook's publishing authorisation: complete it at facebook.com."),
    1_609_005: Known("rejected", "Facebook cannot read the link."),
    1_609_008: Known("rejected", "Facebook takes no links to facebook.com itself."),
    1_609_010: Known("unavailable", "Publishing is not available at the moment.", 60.0),
}
