"""The code location as a warm worker has it: rows and objects opened once for the life of the process, not once for each run.

Nothing else belongs here. Dagster executes a run on definitions that it finds by the name of a module.
"""

from cricksy_pipeline.loading import without_collecting

with without_collecting():
    from cricksy_pipeline import stack
    from cricksy_pipeline.orchestration.build import build_definitions
    from cricksy_pipeline.settings import Settings

    _settings = Settings()
    stack.prepare_database(_settings)
    _opened = {"jobs": stack.open_job_store(_settings), "objects": stack.open_object_store(_settings)}
    defs = build_definitions(_settings, resource_overrides=_opened)
