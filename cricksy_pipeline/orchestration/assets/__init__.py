"""The six assets, one module each, in the order in which they run."""

from cricksy_pipeline.orchestration.assets.completed_analysis import completed_analysis
from cricksy_pipeline.orchestration.assets.deep_results import deep_results
from cricksy_pipeline.orchestration.assets.findings import findings
from cricksy_pipeline.orchestration.assets.frames import frames
from cricksy_pipeline.orchestration.assets.quick_results import quick_results
from cricksy_pipeline.orchestration.assets.report import report

ASSETS = (frames, quick_results, deep_results, findings, report, completed_analysis)
