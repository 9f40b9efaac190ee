"""Realistic documents for the tests of what people read: a drive that was measured, a clip with nobody in it, a quick look.

Built from the models of `analysis.documents`, so a change of the contract fails here first. The numbers are invented, the shapes are not.
"""

from __future__ import annotations

import math
from typing import Any

from cricksy_pipeline.analysis.documents import (
    LEGACY_METRICS,
    AnalysisMode,
    AnalysisResults,
    Band,
    Confirmation,
    Delivery,
    DeliveryValue,
    Drill,
    Event,
    Finding,
    Findings,
    Metric,
    MetricsBlock,
    NotMeasured,
    NotOffered,
    PoseSummary,
    Priority,
    Report,
    ReportSection,
    ResultsMeta,
    Series,
    StyleNote,
    VideoEvidence,
    VideoMoment,
    VideoSegment,
    Watch,
)
from cricksy_pipeline.reading.notation import clock

FPS = 60.0
CONTACTS = (1.70, 6.42, 11.18)
HOW_TO_FILM_FRONT = "Film once more from in front, along the pitch, phone at hip height on a tripod, 60 frames a second or more."
NOBODY = "Nobody was found in the video."
HOW_TO_FILM_PLAYER = "Stand square to the crease, 8 to 10 m away, phone at hip height, the whole body in the picture with a metre of room."
CODES = dict(zip(LEGACY_METRICS, ("B1", "B6", "B4", "", "B7"), strict=True))
LABELS = dict(
    zip(LEGACY_METRICS, ("Head stillness", "Trunk side-lean", "Front knee", "Hip and shoulder timing", "Lead elbow height"), strict=True)
)


def frame_at(t_s: float) -> int:
    return round(t_s * FPS)


def deliveries() -> list[Delivery]:
    return [
        Delivery(
            delivery=i,
            start_s=t - 1.4,
            end_s=t + 0.6,
            events=[
                Event(name=name, t_s=round(t + at, 3), sigma_s=0.012, frame=frame_at(t + at))
                for name, at in (("top_of_backlift", -0.64), ("front_foot_down", -0.20), ("contact", 0.0))
            ],
        )
        for i, t in enumerate(CONTACTS, 1)
    ]


def _near_contact(t: float) -> float:
    return max(math.exp(-(((t - c) / 0.16) ** 2)) for c in CONTACTS)


def series() -> dict[str, Series]:
    t_s = [round(c + i / 30, 3) for c in CONTACTS for i in range(-36, 19)]
    frames = [frame_at(t) for t in t_s]
    lost = set(range(60, 68))

    def values(formula) -> list[float | None]:
        return [None if i in lost else round(formula(t), 3) for i, t in enumerate(t_s)]

    return {
        "front_knee_angle": Series(
            label="Front-knee angle",
            unit="deg",
            t_s=t_s,
            frame=frames,
            value=values(lambda t: 166 - 66 * _near_contact(t) + 2.2 * math.sin(9 * t)),
        ),
        "head_offset": Series(
            label="Head against front ankle",
            unit="% of height",
            t_s=t_s,
            frame=frames,
            value=values(lambda t: 2.1 + 5.5 * _near_contact(t) + 0.5 * math.sin(23 * t)),
        ),
        "trunk_lean": Series(
            label="Trunk side-lean",
            unit="deg",
            t_s=t_s,
            frame=frames,
            value=values(lambda t: 4 + 7 * _near_contact(t) + 1.2 * math.sin(4 * t)),
        ),
    }


def measured(
    key: str, value: float, half: float, unit: str, band: Band, singles: tuple[float, ...], series_name: str, score: float
) -> Metric:
    return Metric(
        label=LABELS[key],
        code=CODES[key],
        judged=True,
        score=score,
        value=value,
        spread=half / 3,
        sigma=half / 1.5,
        detectable_change=half,
        detectable_fault=2 * half,
        unit=unit,
        ci95=(value - half, value + half),
        n=len(singles),
        coverage=0.98,
        view="side",
        definition=f"{LABELS[key]} at contact, in the picture, filmed from the side.",
        definition_version="1",
        band=band,
        per_delivery=[
            DeliveryValue(delivery=i, value=v, sigma=half / 1.5, t_s=c, frame=frame_at(c))
            for i, (v, c) in enumerate(zip(singles, CONTACTS, strict=False), 1)
        ],
        series=series_name,
        reason=None,
        reason_code=None,
    )


def unmeasured(key: str, reason: str, reason_code: str, unit: str = "deg") -> Metric:
    return Metric(
        label=LABELS[key],
        score=None,
        value=None,
        unit=unit,
        ci95=None,
        n=0,
        coverage=None,
        view=None,
        definition=f"{LABELS[key]} at contact.",
        definition_version="1",
        band=None,
        series=None,
        reason=reason,
        reason_code=reason_code,
    )


def metrics_block() -> MetricsBlock:
    head, lean, knee, timing, elbow = LEGACY_METRICS
    return MetricsBlock(
        metrics={
            head: measured(
                head,
                6.4,
                0.9,
                "% of height",
                Band(low=None, high=3.5, source="house default", status="uncalibrated"),
                (6.1, 7.2, 5.9),
                "head_offset",
                0.003,
            ),
            lean: measured(
                lean,
                11.0,
                4.9,
                "deg",
                Band(low=-15, high=15, source="house default", status="uncalibrated"),
                (9.8, 12.1, 11.2),
                "trunk_lean",
                0.94,
            ),
            knee: measured(
                knee,
                93.0,
                6.0,
                "deg",
                Band(low=100, high=165, source="house default", status="uncalibrated"),
                (90.5, 97.0, 91.8),
                "front_knee_angle",
                0.012,
            ),
            timing: unmeasured(timing, "One camera cannot see the hips and shoulders turn against each other.", "NOT_OFFERED", "s"),
            elbow: unmeasured(elbow, "The lead elbow can be judged from in front only; this was filmed from the side.", "VIEW"),
        },
        summary={
            "measured": 3,
            "not_measured": 2,
            "deliveries": 3,
            "view": "side",
            "view_off_side_deg": 6.0,
            "view_confidence": 0.9,
            "front_side": "left",
            "arm": None,
            "player_height_px": 412,
            "slow_motion": 1.0,
            "speed_source": "assumed",
            "grid_fps": 10.0,
        },
        evidence={knee: VideoEvidence(worst_frames=[moment(CONTACTS[0], 90.5)])},
        deliveries=deliveries(),
        series=series(),
        not_offered=[NotOffered(name="Ball speed", reason="One phone cannot tell how far away the ball is.")],
    )


def moment(t_s: float, score: float | None) -> VideoMoment:
    return VideoMoment(frame=frame_at(t_s), t_s=t_s, timestamp=clock(t_s), score=score)


def technique_finding(
    key: str, code: str, severity: str, level: str, title: str, message: str, why: str, cue: str, drills: list[str], confidence: float
) -> Finding:
    metric = metrics_block().metrics[key]
    times = [d.t_s for d in metric.per_delivery]
    return Finding(
        metric=key,
        level=level,
        message=message,
        code=code,
        kind="technique",
        title=title,
        severity=severity,
        why_it_matters=why,
        cues=[cue],
        suggested_drills=drills,
        confidence=confidence,
        what_would_confirm=Confirmation(
            balls_more=6, view="from the side", detectable_change=5.0, unit=metric.unit, text="Film 6 balls more from the same place."
        ),
        evidence={
            "value": metric.value,
            "unit": metric.unit,
            "ci95": list(metric.ci95 or ()),
            "band": metric.band.model_dump() if metric.band else None,
            "n": metric.n,
            "t_s": times,
            "frames": [frame_at(t) for t in times],
            "series": metric.series,
        },
        video_evidence=VideoEvidence(
            worst_frames=[moment(d.t_s, d.value) for d in metric.per_delivery],
            bad_segments=[VideoSegment(start_s=1.5, end_s=1.75, start=clock(1.5), end=clock(1.75), min_score=metric.score)],
        ),
    )


def findings() -> Findings:
    head, lean, knee, timing, elbow = LEGACY_METRICS
    block = metrics_block()
    return Findings(
        overall_level="medium",
        overall_level_reason=None,
        findings=[
            technique_finding(
                head,
                "HEAD_MOVING_AT_CONTACT",
                "high",
                "low",
                "The head is still moving when bat meets ball",
                "Around contact the head wanders 6.4 % of body height against the front foot; good is at most 3.5 %.",
                "A head that is still in the last fifth of a second lets the eyes judge length and lets the hands do the rest.",
                "Arrive early, then be a statue for the last blink.",
                ["Call the seam", "Feed ladder"],
                0.997,
            ),
            technique_finding(
                knee,
                "FRONT_KNEE_FOLDS",
                "low",
                "medium",
                "The front knee folds into the shot",
                "At contact the front knee is bent to 93 degrees; good is 100 to 165 degrees.",
                "A knee that keeps folding through the hit takes the head down with it.",
                "Soft landing, firm at the hit.",
                ["Three-count drive: slow-motion drives to a count of three, the coach pushing lightly at the hip on the hit."],
                0.988,
            ),
        ],
        priority=Priority(
            metric=head,
            code="HEAD_MOVING_AT_CONTACT",
            title="The head is still moving when bat meets ball",
            cue="Arrive early, then be a statue for the last blink.",
            why_first="It is the most serious of what was found.",
        ),
        watch=[
            Watch(
                metric=lean,
                code="FALLS_TO_OFF",
                label=LABELS[lean],
                title="Falling to the off side",
                message="Trunk side-lean: 17 degrees, likely between 12 and 22. It is likely, not sure.",
                probability_outside=0.86,
                evidence={"value": 17.0, "unit": "deg", "ci95": [12.0, 22.0], "band": {"low": -15, "high": 15}, "n": 3, "stills": []},
                what_would_confirm=Confirmation(
                    balls_more=9, view="from in front", detectable_change=5.0, unit="deg", text="About 9 balls more would settle it."
                ),
            )
        ],
        style_notes=[
            StyleNote(
                metric="backlift_direction",
                label="Backlift direction",
                value=None,
                unit="class",
                category="lateral",
                message="A choice, not a fault.",
                source="Noorbhai 2019",
            )
        ],
        not_measured=[
            NotMeasured(metric=timing, label=LABELS[timing], reason=block.metrics[timing].reason or "", how_to_film=None),
            NotMeasured(metric=elbow, label=LABELS[elbow], reason=block.metrics[elbow].reason or "", how_to_film=HOW_TO_FILM_FRONT),
        ],
        detection_rate=97.7,
        confidence_score=0.72,
        confidence_label="medium",
        confidence_reasons=[
            "The player was found in 97.7 % of the frames looked at.",
            "Three balls only: film six for a surer answer.",
            "The bands are house defaults that were not yet checked against players.",
        ],
        analysis_mode=AnalysisMode.BATTING,
    )


def report() -> Report:
    drills = [
        Drill(name="Call the seam", how="Underarm feeds; call the colour of the seam at contact. Two sets of six."),
        Drill(name="Feed ladder", how="Six feeds at walking pace, six at three-quarter pace. Freeze the finish for two seconds."),
        Drill(
            name="Three-count drive",
            how="Three-count drive: slow-motion drives to a count of three, the coach pushing lightly at the hip on the hit.",
        ),
    ]
    return Report(
        text="The head is still moving at contact.",
        overall_level="medium",
        sections=[
            ReportSection(title="What we saw", body="Three drives, filmed from the side.\nThe head moved 6.4 % of body height."),
            ReportSection(title="What we could not see", body="The lead elbow needs a camera in front."),
        ],
        summary="Three drives, filmed from the side. Start with the head, the clearest thing to work on. Trunk lean is in the good range.",
        top_issues=["The head is still moving when bat meets ball", "The front knee folds into the shot"],
        drills=drills,
        one_week_plan=[
            "Call the seam, two sets of six.",
            "Rest, or fielding.",
            "Feed ladder, then six throwdowns.",
            "Three-count drive, three sets of five.",
            "Call the seam and feed ladder.",
            "Net: one cue only, the head.",
            "Film six balls from the same place and compare.",
        ],
        notes=["Film six balls or more next time.", "Ranges marked uncalibrated are house defaults."],
        generated_with_llm=False,
        reliability_warning=None,
        analysis_mode=AnalysisMode.BATTING,
    )


def pose_summary(found_share: float = 0.977) -> PoseSummary:
    sampled = 131
    found = round(sampled * found_share)
    return PoseSummary(
        total_frames=780,
        sampled_frames=sampled,
        burst_frames=144 if found else 0,
        frames_with_pose=found,
        detection_rate_percent=round(100 * found / sampled, 1),
        video_fps=59.94,
        variable_rate=False,
        width=1920,
        height=1080,
        rotation_deg=0,
        duration_s=13.0,
        model="blazepose-full",
        model_sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        subject={"share_of_height": 0.38} if found else {},
    )


def meta(job_id: str, pass_name: str = "deep", mode: AnalysisMode = AnalysisMode.BATTING) -> ResultsMeta:
    quick = pass_name == "quick"
    return ResultsMeta(
        job_id=job_id,
        pass_name=pass_name,
        sample_fps=5.0 if quick else 10.0,
        max_seconds=30.0 if quick else None,
        analysis_mode=mode,
        analysis_mode_used=mode,
        analysis_version="a1b2c3d4e5f6",
        code_version="0.1.0",
        source_sha256="5d41402abc4b2a76b9719d911017c592" * 2,
    )


def drive_results(job_id: str = "job-drive", pass_name: str = "deep") -> AnalysisResults:
    """Three batting drives from the side: two findings, three measured metrics, two that one such clip cannot give."""
    return AnalysisResults(
        pose_summary=pose_summary(),
        metrics=metrics_block(),
        findings=findings(),
        report=report(),
        meta=meta(job_id, pass_name),
        outputs={"report_html": f"analysis/{job_id}/report.html"},
    )


def nobody_results(job_id: str = "job-nobody") -> AnalysisResults:
    """A clip in which nobody was found: done, one quality finding, nothing measured."""
    block = MetricsBlock(
        metrics={key: unmeasured(key, NOBODY, "NOT_SEEN") for key in LEGACY_METRICS},
        summary={"measured": 0, "not_measured": 5, "deliveries": 0, "view": None},
        evidence={},
        deliveries=[],
        series={},
    )
    found = Findings(
        overall_level=None,
        overall_level_reason="No technique could be measured.",
        findings=[
            Finding(
                metric=None,
                level=None,
                message="Nobody was found in any of the 131 frames looked at, so nothing was measured.",
                evidence={"n": 0, "t_s": [], "frames": []},
                code="NOBODY_FOUND",
                kind="quality",
                title="We could not find a player in this video",
                severity="high",
                why_it_matters="Without the player in view there is nothing to measure, and nothing was guessed.",
                cues=["Closer, and the whole body in the picture."],
                suggested_drills=[],
                video_evidence=VideoEvidence(),
                confidence=None,
            )
        ],
        not_measured=[NotMeasured(metric=key, label=LABELS[key], reason=NOBODY, how_to_film=HOW_TO_FILM_PLAYER) for key in LEGACY_METRICS],
        detection_rate=0.0,
        confidence_score=None,
        confidence_label=None,
        confidence_reasons=["Nobody was found."],
        analysis_mode=AnalysisMode.BATTING,
    )
    told = Report(
        text="We could not find a player in this video.",
        overall_level=None,
        sections=[ReportSection(title="What to film", body=HOW_TO_FILM_PLAYER)],
        summary="We could not find a player in this video, so nothing was measured.",
        top_issues=[],
        drills=[],
        one_week_plan=["Film again as described, then upload."] + ["Train as planned."] * 6,
        notes=[],
        generated_with_llm=False,
        reliability_warning="Nothing was measured.",
        analysis_mode=AnalysisMode.BATTING,
    )
    return AnalysisResults(pose_summary=pose_summary(0.0), metrics=block, findings=found, report=told, meta=meta(job_id), outputs={})


def numbers_in(value: Any) -> list[float]:
    """Every number of a JSON document, in reading order."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return []
    if isinstance(value, (int, float)):
        return [float(value)]
    items = value.values() if isinstance(value, dict) else value
    return [n for item in items for n in numbers_in(item)]
