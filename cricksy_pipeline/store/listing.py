"""All objects under a prefix, page after page, without any being read.

Belongs here: the walk that deletion and expiry work from. Does not belong here: one page (`object_contract`), where a sensor stopped.
"""

from __future__ import annotations

from collections.abc import Iterator

from cricksy_pipeline.store.object_contract import Listed, ObjectStore


def listed(objects: ObjectStore, prefix: str) -> Iterator[Listed]:
    """All objects whose key starts with the prefix, in key order; in memory only a page at once.

    Raises:
        CricksyError: STORE_UNAVAILABLE; a failed listing is never an empty one.
    """
    after = ""
    while page := objects.page(prefix, start_after=after):
        yield from page
        after = page[-1].key
