"""Instagram's own codes, in answers (error_subcode) and in a container's `status`, and what they mean for a post.

Source: developers.facebook.com, Instagram Platform error codes; a well-kept client's table (Postiz, 21 August 2026).
"""

from __future__ import annotations

import re

from platforms.meta_graph import Known

DAY = 86_400.0
# Instagram could not fetch or process the file this time: a new container may do.
AGAIN = frozenset({2_207_001, 2_207_003, 2_207_020, 2_207_032, 2_207_052, 2_207_053, 2_207_082})
# The container is still being processed.
NOT_READY = frozenset({2_207_027, 9_007})
CODES: dict[int, Known] = {
    9_007: Known("unavailable", "The file is not processed yet.", 5.0),
    36_001: Known("rejected", "The file is of a form that Instagram does not take."),
    36_003: Known("rejected", "The image's sides are not in a ratio that Instagram takes: 4:5 to 1.91:1."),
    2_207_001: Known("unavailable", "Instagram had a fault while it processed the file, or took it for spam.", 60.0),
    2_207_003: Known("unavailable", "Instagram took too long to fetch the file.", 60.0),
    2_207_004: Known("rejected", "The image is too large: at most 8 MB."),
    2_207_005: Known("rejected", "The image's format is not taken: JPEG only."),
    2_207_006: Known("rejected", "The prepared post is gone at Instagram; nothing was published."),
    2_207_008: Known("rejected", "The prepared post is gone at Instagram; nothing was published."),
    2_207_009: Known("rejected", "The image's sides are not in a ratio that Instagram takes: 4:5 to 1.91:1."),
    2_207_010: Known("rejected", "The caption is too long: 2,200 characters, 30 hashtags, 20 mentions."),
    2_207_020: Known("unavailable", "The file at Instagram has expired.", 60.0),
    2_207_023: Known("rejected", "Instagram does not know this media type."),
    2_207_026: Known("rejected", "The video's format is not taken: MP4 or MOV, H.264 or HEVC, AAC."),
    2_207_027: Known("unavailable", "The file is not processed yet.", 5.0),
    2_207_028: Known("rejected", "A carousel holds 2 to 10 files that Instagram has taken."),
    2_207_032: Known("unavailable", "Instagram could not make the container.", 60.0),
    2_207_042: Known("rate_limited", "The account has published all that Instagram allows in 24 hours.", 3_600.0),
    2_207_050: Known("auth", "Instagram has restricted the account: log in to the app and do what it asks for."),
    2_207_051: Known("rejected", "Instagram takes the post as a breach of its rules."),
    2_207_052: Known("unavailable", "Instagram could not fetch the file from its address.", 60.0),
    2_207_053: Known("unavailable", "Instagram could not take the file in.", 60.0),
    2_207_057: Known("rejected", "The place of the cover image is not within the video."),
    2_207_082: Known("unavailable", "Instagram could not take the file in.", 60.0),
}
_NUMBER = re.compile(r"\b(2207\d{3}|36003|36001)\b")


def of_status(status: str) -> int | None:
    """The code in a container's `status`, like `Error: Media upload has failed with error code 2207026`."""
    found = _NUMBER.search(status)
    return int(found.group()) if found else None
