"""The front door of the Dagster code location. Nothing else belongs here."""

from cricksy_pipeline.loading import without_collecting

with without_collecting():
    from cricksy_pipeline.orchestration.build import build_definitions
    from cricksy_pipeline.settings import Settings

    defs = build_definitions(Settings())
