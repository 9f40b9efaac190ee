"""Which owner's alerts go to which target.

Belongs here: reading and checking the setting, whole, before the first alert. Does not belong here: what makes a target a good one
(the channels). Targets may be secrets (whoever has a Slack webhook can write there): nothing here repeats one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping

from pydantic import SecretStr

from cricksy_pipeline.alerting.alert import Alert, AlertNotSent

VARIABLE = "CRICKSY_ALERT_ROUTES"
DEFAULT = "default"

Routes = Mapping[str, SecretStr]
"""Target by owner."""

Fault = Callable[[str], str | None]
"""What is wrong with a target, in words that do not repeat it; None where nothing is."""

_TEAM = re.compile(r"team:[\w.-]{1,60}")


class BadAlertSettings(ValueError):
    """The settings of alerts contradict themselves or are incomplete. The message names every fault and no secret."""


def read_routes(given: SecretStr | None, owners: Collection[str], fault_of: Fault) -> dict[str, SecretStr]:
    """The target of each owner.

    Args:
        given: a JSON object of owner, or `default` for all that are not named, to target.
        owners: everyone who may get an alert; nobody else may be named, for that would be a slip of the pen.
        fault_of: the channel's opinion of a target.

    Raises:
        BadAlertSettings: not set, not such an object, an unknown owner, an owner without target, a target that the channel cannot use.
    """
    routes, faults = _read(given, owners, fault_of)
    if faults:
        raise BadAlertSettings(f"{VARIABLE}: {'; '.join(faults)}")
    return routes


def _read(given: SecretStr | None, owners: Collection[str], fault_of: Fault) -> tuple[dict[str, SecretStr], list[str]]:
    """Routes and faults; apart, so that no frame of a traceback that somebody prints with its variables holds the text."""
    if given is None or not given.get_secret_value().strip():
        return {}, ["not set, and this channel needs a target for each owner"]
    try:
        named = json.loads(given.get_secret_value())
    except ValueError:
        named = None
    if not isinstance(named, dict) or not all(isinstance(target, str) for target in named.values()):
        return {}, ['not a JSON object of owner to target, such as {"default": "..."}']
    faults = []
    for name, target in named.items():
        if name not in owners and name != DEFAULT:
            # Only what looks like a team is repeated: where somebody swapped name and target, the name is the secret.
            faults.append(f"{name if _TEAM.fullmatch(name) else 'a name'} is no owner here (owners: {', '.join(sorted(owners))})")
        elif (fault := fault_of(target)) is not None:
            faults.append(f"the target of {name} is {fault}")
    faults += [f"no target for {owner}, and no {DEFAULT}" for owner in sorted(owners) if owner not in named and DEFAULT not in named]
    return {owner: SecretStr(named.get(owner, named.get(DEFAULT, ""))) for owner in owners}, faults


def target_of(routes: Routes, alert: Alert) -> SecretStr:
    """Where the alert goes. Raises AlertNotSent for an owner that was not known when the routes were read."""
    if alert.owner not in routes:
        raise AlertNotSent(alert, "nobody is named for that owner")
    return routes[alert.owner]
