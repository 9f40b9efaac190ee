"""The one partition definition: one partition per analysis job, its key the job id."""

import dagster as dg

videos = dg.DynamicPartitionsDefinition(name="videos")
