"""`findings`: what a coach can act on, each with the evidence that triggered it."""

import dagster as dg

from cricksy_pipeline.analysis.passes import findings_of
from cricksy_pipeline.orchestration.asset_options import COACHING_OWNER, stage_options
from cricksy_pipeline.orchestration.assets.deep_results import deep_results
from cricksy_pipeline.orchestration.describe import describe_findings, describe_kept, not_requested
from cricksy_pipeline.orchestration.keeping import still_holds
from cricksy_pipeline.orchestration.persist import persist_findings
from cricksy_pipeline.orchestration.resources import Config, Objects, Run
from cricksy_pipeline.orchestration.work import deep_results_of


@dg.asset(deps=[deep_results], **stage_options("findings", kinds={"postgres", "json"}, owner=COACHING_OWNER))
def findings(context: dg.AssetExecutionContext, stages: Run, objects: Objects, settings: Config) -> dg.MaterializeResult:
    """At most three technique findings, the most important first, or one quality finding that tells how to film it.

    A finding needs a measured value whose true value is outside its band with a stated probability. Missing data never makes one.
    """
    with stages.enter(context, "findings") as now:
        if not now.row.deep_enabled:
            return not_requested()
        if still_holds(now, objects):
            return describe_kept(now, settings)
        found = findings_of(deep_results_of(now))
        stored = persist_findings(now, objects, found)
        return describe_findings(now, found, stored, settings)
