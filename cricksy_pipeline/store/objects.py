"""The front door of the object stores: what the other rooms import.

Belongs here: names. Does not belong here: anything else; the promise is in `object_contract`, the two stores in `local_objects` and
`s3_objects`.
"""

from __future__ import annotations

from cricksy_pipeline.store.local_objects import LocalObjectStore
from cricksy_pipeline.store.object_contract import Listed, ObjectHead, ObjectMissing, ObjectRefused, ObjectStore, sha256_of, sha256_of_file
from cricksy_pipeline.store.s3_objects import S3ObjectStore

__all__ = [
    "Listed",
    "LocalObjectStore",
    "ObjectHead",
    "ObjectMissing",
    "ObjectRefused",
    "ObjectStore",
    "S3ObjectStore",
    "sha256_of",
    "sha256_of_file",
]
