"""Tells an owner when the analyses in his stages keep failing, and when they succeed again.

Belongs here: when to look, and what becomes of an alert that could not be sent. Does not belong here: what counts as a streak, when it
is worth telling, how it travels (`alerting`). Dagster itself sends no alerts.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of resources as classes, not as text.

from functools import partial

import dagster as dg

from cricksy_pipeline.alerting.alert import Notifier, Severity
from cricksy_pipeline.alerting.escalation import Memory, due
from cricksy_pipeline.alerting.streaks import read_history
from cricksy_pipeline.orchestration.asset_options import DATA_OWNER
from cricksy_pipeline.orchestration.assets import ASSETS
from cricksy_pipeline.orchestration.links import job_url
from cricksy_pipeline.orchestration.resources import Config, Jobs

OWNER_BY_STAGE: dict[str, str] = {spec.key.to_user_string(): next(iter(spec.owners)) for asset in ASSETS for spec in asset.specs}
"""Asset name to owner, as Dagster shows it. What has no stage (a lost worker, a run that never began) is the data engineers'."""

OWNERS: tuple[str, ...] = tuple(sorted({*OWNER_BY_STAGE.values(), DATA_OWNER}))
"""Everyone who may get an alert."""

Channel = dg.ResourceParam[Notifier]


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells an owner when his stages have failed several times in a row, at each doubling, and when analyses succeed again.",
)
def alerts(context: dg.SensorEvaluationContext, jobs: Jobs, notifier: Channel, settings: Config) -> dg.SensorResult:
    """One look: at most one alert to each owner.

    What could be sent is remembered, so that one owner's broken channel does not repeat another's alert every half minute. What could not
    be sent is tried again at the next look. A look that could send nothing fails, and what it knew is as before.
    """
    memory = Memory.read(context.cursor)
    history = read_history(jobs.engine, OWNER_BY_STAGE, DATA_OWNER, after=memory.success_at)
    memory, sent, unsent = memory.after(history.success), [], []
    for owner in OWNERS:
        alert = due(memory, history, owner, settings.alert_after, partial(job_url, settings))
        if alert is None:
            continue
        try:
            notifier.send(alert)
        except Exception as error:  # of whatever kind: the next owner is told all the same
            context.log.error("%s", error)
            unsent.append(error)
        else:
            context.log.info("%s", alert.subject)
            sent.append(alert.subject)
            memory = memory.having_told(owner, history.streaks[owner] if alert.severity is Severity.FAILING else None)
    if unsent and not sent:
        raise unsent[0]
    now = [f"{streak.owner}: {streak.failures} in a row" for streak in history.streaks.values()] or ["no failure since the last success"]
    return dg.SensorResult(cursor=memory.model_dump_json(), skip_reason="; ".join([*map(str, unsent), *(f"sent {s}" for s in sent), *now]))
