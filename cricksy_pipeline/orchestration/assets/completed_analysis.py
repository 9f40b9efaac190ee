"""`completed_analysis`: the only place from which a job row can become `done`, by proof."""

import dagster as dg

from cricksy_pipeline.orchestration.asset_options import stage_options
from cricksy_pipeline.orchestration.assets.deep_results import deep_results
from cricksy_pipeline.orchestration.assets.findings import findings
from cricksy_pipeline.orchestration.assets.frames import frames
from cricksy_pipeline.orchestration.assets.quick_results import quick_results
from cricksy_pipeline.orchestration.assets.report import report
from cricksy_pipeline.orchestration.completion import complete, prove_guardrails, prove_readable, prove_stages
from cricksy_pipeline.orchestration.describe import describe_completion
from cricksy_pipeline.orchestration.resources import Config, Objects, Run


# All five are listed although each implies the one before: a blocking check holds back only the assets that name its asset themselves.
@dg.asset(deps=[frames, quick_results, deep_results, findings, report], **stage_options("completed_analysis", kinds={"postgres"}))
def completed_analysis(context: dg.AssetExecutionContext, stages: Run, objects: Objects, settings: Config) -> dg.MaterializeResult:
    """Proof that a reader can read the result, then one update of the row to `done`.

    Every named guardrail of this very run must have passed, as the database says, and the row and the stored objects must read back
    through the API's own read model. Materialized alone, without the run that made the results, it refuses.
    """
    with stages.enter(context, "completed_analysis") as now:
        prove_stages(now)
        guardrails = prove_guardrails(now)
        read = prove_readable(now, objects)
        row = complete(now)
        return describe_completion(now, row, read, guardrails, settings)
