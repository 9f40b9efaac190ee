"""Which numbers of a text are in the documents, by the roundings that a report states."""

from __future__ import annotations

import re

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline_tests.reading.sample_documents import numbers_in

_NUMBER = re.compile(r"(?<![\w:])\d+(?:\.\d+)?(?![\w:])")
_CLOCK = re.compile(r"(?<![\d:])(\d+):(\d\d\.\d\d)")


def untold(text: str, results: AnalysisResults, heading: Heading) -> list[str]:
    """The numbers and clock times of `text` that no datum gives: neither itself, nor as the half of an interval, nor as a share."""
    data = results.model_dump(mode="json")
    del data["metrics"]["series"]  # they hold nearly every number, and a report says none of them but in its plots
    known = numbers_in(data)
    words = " ".join([*re.findall(r"\d[\d.]*", str(data)), heading.analysed_on])
    metrics, balls = results.metrics.metrics.values(), results.metrics.deliveries
    half = [(m.ci95[1] - m.ci95[0]) / 2 for m in metrics if m.ci95]
    half += [1.96 * v.sigma for m in metrics for v in m.per_delivery] + [1.96 * e.sigma_s for ball in balls for e in ball.events]
    half += [(v.ci95[1] - v.ci95[0]) / 2 for m in metrics for v in m.per_delivery if v.ci95]
    ends = [v.value + way * 1.96 * v.sigma for m in metrics for v in m.per_delivery for way in (-1, 1)]
    shares = [100 * n for n in known if 0 <= n <= 1]
    derived = {95.0, *range(1, 8)}  # the interval's level, the days of the week
    sources = [*known, *half, *ends, *shares]
    clocks = [60 * int(m) + float(s) for m, s in _CLOCK.findall(text)]
    wrong = [f"clock {t:.2f}" for t in clocks if not any(abs(t - n) <= 0.0051 for n in known)]
    for shown in _NUMBER.findall(_CLOCK.sub(" ", text)):
        value, places = float(shown), len(shown.partition(".")[2])
        near = 0.5 * 10**-places + 1e-9
        if not (any(abs(abs(n) - value) <= near for n in sources) or value in derived or shown in words):
            wrong.append(shown)
    return wrong
