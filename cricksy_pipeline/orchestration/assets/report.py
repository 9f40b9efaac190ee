"""`report`: the findings as a text, a plan for the week, as a page, on paper and as tables."""

import dagster as dg

from cricksy_pipeline.analysis.documents import Findings
from cricksy_pipeline.analysis.passes import report_of
from cricksy_pipeline.orchestration.asset_options import COACHING_OWNER, stage_options
from cricksy_pipeline.orchestration.assets.findings import findings
from cricksy_pipeline.orchestration.describe import describe_kept, describe_report, not_requested
from cricksy_pipeline.orchestration.keeping import still_holds
from cricksy_pipeline.orchestration.persist import persist_report
from cricksy_pipeline.orchestration.report_files import report_files
from cricksy_pipeline.orchestration.resources import Config, Objects, Run
from cricksy_pipeline.orchestration.work import deep_results_of


@dg.asset(deps=[findings], **stage_options("report", kinds={"postgres", "html"}, owner=COACHING_OWNER))
def report(context: dg.AssetExecutionContext, stages: Run, objects: Objects, settings: Config) -> dg.MaterializeResult:
    """What the coach reads: a summary, sections, drills and a week's plan, as JSON, as one self-contained HTML page and as PDF.

    With it go a table of the measures of each ball (CSV) and the landmarks as markers (TRC). Every number in the text is a number in the
    data, and every file reads back as what it is: guardrails hold both.
    """
    with stages.enter(context, "report") as now:
        if not now.row.deep_enabled:
            return not_requested()
        if still_holds(now, objects):
            return describe_kept(now, settings)
        document, found = deep_results_of(now), Findings.model_validate(now.row.deep_findings)
        written = report_of(document, found)
        stored = persist_report(now, objects, written, report_files(now, objects, document, found, written))
        return describe_report(now, written, stored, settings)
