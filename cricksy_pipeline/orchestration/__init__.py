"""Dagster, thin: the six assets of an analysis and the overlay that follows it, their guardrails as checks, resources, the jobs.

Belongs here: what makes the analysis a partitioned, guarded run. Does not belong here: measuring (`analysis`), keeping (`store`),
showing (`reading`).
"""

import warnings

# A feature in preview that this design rests on, reviewed at a minor upgrade (the version is pinned). Dagster warns once per
# use and process, which buries what matters. Drop the line when the feature is stable.
warnings.filterwarnings("ignore", message="Specifying a partitions_def on an AssetCheckSpec")
