"""The report on paper: the same words and numbers as the page, the same bytes for the same analysis, readable by a screen reader."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.moments import moments_of
from cricksy_pipeline.reading.drawing.pictures import player_picture
from cricksy_pipeline.reading.drawing.strips import Row, Still, strip_png
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline.reading.report.pdf import render_report_pdf, report_pdf_problem
from cricksy_pipeline.reading.report.report_view import ReportView, report_view
from cricksy_pipeline.reading.report.stills import Stills, cut_stills
from cricksy_pipeline_tests.reading.report.told_numbers import untold
from cricksy_pipeline_tests.reading.sample_documents import drive_results, nobody_results

HEADING = Heading("Tuesday nets", "job-1", ("A. Player",), datetime(2026, 11, 23, 9, 30, 15, 123456, tzinfo=UTC))
HOSTILE = """#panic("x") $x$ *b* _i_ @ref <l> \\ // `#eval("1")` #import "@preview/x:1.0.0": y"""


def view_of(results: AnalysisResults | None = None, heading: Heading = HEADING) -> ReportView:
    results = results or drive_results()
    return report_view(results, results.findings, results.report, heading)


def words_of(pdf: bytes, *options: str) -> str:
    """The text of the PDF as Poppler reads it, in one line."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed here, so the PDF cannot be read back")
    read = subprocess.run(["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, check=True)
    return re.sub(r"\s+", " ", read.stdout.decode().replace("\u00a0", " ").replace("\f", " "))


def pages_of(pdf: bytes) -> int:
    return int(re.search(rb"<xmpTPg:NPages>(\d+)<", pdf).group(1))


def looked_at(results: AnalysisResults) -> Landmarks:
    """A body in every frame of the clip."""
    n = results.pose_summary.total_frames
    xy = np.random.default_rng(0).uniform(20, 180, (n, 33, 2)).astype(np.float32)
    full, t_s = np.ones((n, 33), np.float32), np.arange(n) / results.pose_summary.video_fps
    return Landmarks(
        np.arange(n), t_s, np.zeros(n, np.uint8), xy, np.zeros((n, 33), np.float32), full, full, np.zeros((n, 33, 3), np.float32),
        results.pose_summary.width, results.pose_summary.height,
    )  # fmt: skip


@cache
def drive_stills() -> tuple[Stills, bytes]:
    """Those of `drive_results`, which is the same each time."""
    return stills_of(drive_results())


def stills_of(results: AnalysisResults) -> tuple[Stills, bytes]:
    """The stills of every ball, each of one colour of its own, and the strip that they were cut from."""
    marks = looked_at(results)
    body = np.stack([np.full(33, 100.0), np.linspace(40, 160, 33)], axis=1)
    rows, shade = [], 20
    for ball in results.metrics.deliveries:
        stills = []
        for moment in moments_of(ball, marks.frame, marks.t_s):
            shade += 12
            image = np.full((200, 200, 3), shade, np.uint8)
            stills.append(Still(moment.event, moment.t_s, moment.sigma_s, image, body, np.ones(33)))
        rows.append(Row(f"Ball {ball.delivery}", tuple(stills)))
    strip = strip_png(rows)
    return cut_stills(strip, marks, results), strip


def picture() -> bytes:
    xy = np.random.default_rng(0).uniform(20, 180, (33, 2)).astype(np.float32)
    return player_picture(np.full((200, 200, 3), 90, np.uint8), xy, np.ones(33, np.float32))


def without_plots(view: ReportView) -> ReportView:
    """The numbers at the axes of a plot are of its scale, and no result."""
    return replace(view, plots=())


def test_every_number_on_paper_is_in_the_data():
    results = drive_results()
    told = words_of(render_report_pdf(without_plots(view_of(results)), stills=drive_stills()[0]))
    told = re.sub(r"\b\d+ of \d+\b", " ", told)  # page numbers; which ball of how many
    assert len(re.findall(r"\d", told)) > 300, "the paper has lost its numbers"
    assert untold(told, results, HEADING) == []


def test_paper_and_page_say_the_same():
    from cricksy_pipeline.reading.report.html import render_report_html
    from cricksy_pipeline_tests.reading.report.test_html import Page

    results = drive_results()
    page = render_report_html(results=results, findings=results.findings, report=results.report, heading=HEADING, player_png=None, plots={})
    page = re.sub(r"<style>.*?</style>|<details>.*?</details>|<title>.*?</title>", "", page, flags=re.S)
    on_page = set(re.findall(r"\d+(?:[.:]\d+)*", " ".join(Page(page).text)))
    # Unwrapped as far as Poppler can: a word that the line breaks is one word to a reader.
    on_paper = set(re.findall(r"\d+(?:[.:]\d+)*", words_of(render_report_pdf(without_plots(view_of(results))))))
    assert on_page <= on_paper
    assert len(on_page) > 60


def test_the_words_that_matter_are_on_paper():
    results = drive_results()
    told = words_of(render_report_pdf(view_of(results)))
    findings = results.findings
    assert "Tuesday nets" in told and "A. Player, 23 November 2026" in told and "Batting analysis" in told
    for finding in findings.findings:
        assert finding.title in told and finding.cues[0] in told
    for gap in findings.not_measured:
        assert gap.label in told
    for fact in (results.meta.analysis_version, results.meta.source_sha256, "job-1", results.pose_summary.model):
        assert fact in told
    order = ["What we found", "Each ball in numbers", "What was measured", "What could not be measured", "The week ahead"]
    assert [told.index(title) for title in order] == sorted(told.index(title) for title in order)


def test_every_page_says_whose_it_is_and_which_of_how_many():
    pdf = render_report_pdf(view_of())
    pages = pages_of(pdf)
    assert pages > 1
    for page in range(1, pages + 1):
        told = words_of(pdf, "-f", str(page), "-l", str(page))
        assert "Tuesday nets" in told and "A. Player" in told and "23 November 2026" in told
        assert f"{page} of {pages}" in told and "job-1" in told


def test_the_same_analysis_gives_the_same_bytes():
    first = render_report_pdf(view_of(), player_png=picture())
    assert first == render_report_pdf(view_of(), player_png=picture())
    assert b"2026-11-23T09:30:15" in first, "the date in the file is the analysis's"
    elsewhere = replace(HEADING, analysed_at=HEADING.analysed_at.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert render_report_pdf(view_of(heading=elsewhere), player_png=picture()) == first


def test_an_analysis_without_a_date_gets_none():
    pdf = render_report_pdf(view_of(heading=Heading("Nets", "job-1")))
    assert b"CreationDate" not in pdf and "20" not in words_of(pdf)[:20]


def test_the_file_is_tagged_and_every_picture_has_words():
    results = drive_results()
    pdf = render_report_pdf(view_of(results), player_png=picture(), stills=drive_stills()[0])
    assert b"<pdfuaid:part>1<" in pdf
    assert b"/Lang" in pdf and b"/MarkInfo" in pdf


def test_words_that_look_like_typst_stay_words():
    heading = Heading(HOSTILE, HOSTILE, (HOSTILE,), HEADING.analysed_at)
    results = drive_results()
    results.findings.findings[0].message = HOSTILE
    told = words_of(render_report_pdf(view_of(results, heading)))
    plain = HOSTILE.replace("\u00a0", " ")
    assert told.count(plain[:30]) >= 3 and "@preview/x:1.0.0" in told


@pytest.mark.parametrize("name", ["नेट्स", "اشہ", "Nets 🏏", "tab\tbell\x07", "\u202eback", "Zoë Ł. Łukasz", ""])
def test_a_name_in_any_letters_does_not_stop_the_report(name):
    pdf = render_report_pdf(view_of(heading=replace(HEADING, title=name, players=(name,))))
    assert report_pdf_problem(pdf, "job-1") is None and pages_of(pdf) > 1


def test_a_clip_with_nobody_in_it_is_two_pages_that_say_how_to_film():
    pdf = render_report_pdf(view_of(nobody_results()), player_png=picture())
    told = words_of(pdf)
    assert pages_of(pdf) <= 2
    assert "Before the next video" in told and "How to film it" in told and "Nobody was found in it" in told
    assert "What was measured" not in told and "Each ball" not in told and "none" not in told.lower().split()


def test_a_report_without_findings_says_so():
    results = drive_results()
    told = words_of(render_report_pdf(report_view(results, None, None, HEADING)))
    assert "The findings are not there yet" in told and "The week ahead" not in told


def test_a_finding_shows_the_stills_that_its_evidence_names():
    results = drive_results()
    results.findings.findings[0].evidence["stills"] = [{"output": "moments.png", "delivery": 2, "event": "contact", "frame": 1, "t_s": 1.0}]
    bare = render_report_pdf(view_of(results))
    shown = render_report_pdf(view_of(results), stills=drive_stills()[0])
    assert "Ball 2, contact" in words_of(shown) and "Ball 2, contact" not in words_of(bare)


def test_the_stills_are_cut_where_the_strip_has_them():
    import cv2

    results = drive_results()
    stills, _ = drive_stills()
    shade = 20
    assert len(stills.rows) == len(results.metrics.deliveries)
    for ball, captions in stills.rows:
        assert [caption.key[0] for caption in captions] == [ball] * len(captions)
        for caption in captions:
            shade += 12
            tile = cv2.imdecode(np.frombuffer(stills.pictures[caption.key], np.uint8), cv2.IMREAD_COLOR)
            assert abs(float(np.median(tile)) - shade) < 2, f"{caption.key} shows another still"


def test_nothing_is_cut_out_of_a_strip_of_other_balls():
    results = drive_results()
    marks, (_, strip) = looked_at(results), drive_stills()
    del results.metrics.deliveries[-1]
    assert cut_stills(strip, marks, results) == Stills()
    assert cut_stills(None, marks, results) == Stills() and cut_stills(strip_png([]), marks, nobody_results()) == Stills()


def test_what_is_no_whole_pdf_of_the_job_is_told():
    pdf = render_report_pdf(view_of())
    assert report_pdf_problem(pdf, "job-1") is None
    assert "whole" in report_pdf_problem(pdf[:-20], "job-1") and "whole" in report_pdf_problem(b"", "job-1")
    assert "name" in report_pdf_problem(pdf, "job-of-somebody-else")


def test_black_ink_alone_tells_what_colour_tells():
    """A bar outside its range lies beside it, and the severity is a word: looked at in grey, nothing is lost."""
    told = words_of(render_report_pdf(view_of()))
    assert re.search(r"Severity (high|medium|low)", told)
    assert "Good range" in told
