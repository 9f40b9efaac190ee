"""The report page: self-contained, escaped, true to its data, right for a clip with nobody in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.reading.drawing.pictures import player_picture
from cricksy_pipeline.reading.drawing.strips import strip_png
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline.reading.report.html import render_report_html
from cricksy_pipeline.reading.report.view import chance, metric_row, named_drill, week
from cricksy_pipeline_tests.reading.report.told_numbers import untold
from cricksy_pipeline_tests.reading.sample_documents import drive_results, moment, nobody_results

HOSTILE = """"><script>alert('x')</script><img src=http://evil.example/x onerror=alert(1)> & {{ 7 * 7 }}"""
HEADING = Heading("Tuesday nets", "job-1", ("A. Player",), datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Tags, attributes and visible text of a page; fails on a tag that does not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open and self._open.pop() == tag, f"{tag} closes what it did not open"

    def handle_data(self, data):
        if not self._open or self._open[-1] not in ("style", "title"):
            self.text.append(data)

    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]


def render(results: AnalysisResults | None = None, **given) -> str:
    results = results or drive_results()
    filled = {
        "results": results,
        "findings": results.findings,
        "report": results.report,
        "player_png": None,
        "heading": HEADING,
    }
    return render_report_html(**{**filled, **given})


def picture() -> bytes:
    xy = np.random.default_rng(0).uniform(20, 180, (33, 2)).astype(np.float32)
    return player_picture(np.full((200, 200, 3), 90, np.uint8), xy, np.ones(33, np.float32))


def test_the_page_asks_the_network_for_nothing_and_runs_nothing():
    page = Page(render(player_png=picture()))
    assert not {"script", "link", "iframe", "object", "embed", "base", "form", "video", "audio"} & set(page.names())
    addresses = [
        value or "" for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href", "srcset", "action", "xlink:href")
    ]
    assert addresses and all(a.startswith("data:image/png;base64,") for a in addresses)
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    css = re.search(r"<style>(.*?)</style>", render(), re.S).group(1)
    assert "@import" not in css and "url(" not in css
    policy = next(attrs["content"] for tag, attrs in page.tags if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_hostile_words_in_any_text_of_the_documents_stay_words():
    poisoned = _poisoned(drive_results().model_dump(mode="json"))
    html = render(AnalysisResults.model_validate(poisoned), heading=Heading(HOSTILE, HOSTILE, (HOSTILE,), HEADING.analysed_at))
    page, clean = Page(html), Page(render())
    assert "<script" not in html and "onerror=alert(1)>" not in html.replace("&gt;", "")
    # Names of events that do not fit are left out of a plot, so its tags may be fewer; none may be new.
    drawn = {"svg", "path", "text", "title", "rect", "circle"}
    assert [t for t in page.names() if t not in drawn] == [t for t in clean.names() if t not in drawn], "a text made a tag of its own"
    assert {name for _, attrs in page.tags for name in attrs} == {name for _, attrs in clean.tags for name in attrs}
    assert HOSTILE in "".join(page.text)


def _poisoned(value, key=""):
    """Every free text of a document replaced; words from a fixed list, hashes and codes are not free."""
    fixed = {
        "level",
        "overall_level",
        "severity",
        "kind",
        "status",
        "confidence_label",
        "pass_name",
        "analysis_mode",
        "analysis_mode_used",
        "series",
        "metric",
        "unit",
        "reason_code",
        "model_sha256",
        "timestamp",
    }
    if isinstance(value, dict):
        return {k: _poisoned(v, "event name" if k == "name" and "sigma_s" in value else k) for k, v in value.items()}
    if isinstance(value, list):
        return [_poisoned(v, key) for v in value]
    # Names of events stay apart: the table of the balls has a row for each.
    return HOSTILE + (value if key == "event name" else "") if isinstance(value, str) and key not in fixed else value


def test_every_number_on_the_page_is_in_the_data_or_says_where_it_comes_from():
    visible = _without_plots(render())
    assert len(re.findall(r"\d", visible)) > 300, "the page has lost its numbers"
    assert untold(visible, drive_results(), HEADING) == []


def test_a_number_that_is_in_no_document_is_noticed():
    assert untold("The knee bends to 93.7 degrees at 0:59.87, 3 balls.", drive_results(), HEADING) == ["clock 59.87", "93.7"]


def _without_plots(html: str) -> str:
    body = re.sub(r"<style>.*?</style>|<svg class=\"series\".*?</svg>", "", html, flags=re.S)
    return " ".join(Page(body).text).replace("\u00a0", " ")


def test_one_priority_comes_first_and_each_finding_says_how_much_when_and_what_to_do():
    results = drive_results()
    html = render(results)
    text = "".join(Page(html).text)
    assert text.index(results.findings.findings[0].cues[0]) < text.index("What we found")
    for finding in results.findings.findings:
        assert finding.title in text and finding.why_it_matters in text
        assert all(m.timestamp in text and f"frame {m.frame}" in text for m in finding.video_evidence.worst_frames)
        assert all(drill.partition(": ")[0] in text for drill in finding.suggested_drills)
    assert html.count('class="range-bar') == len(results.findings.findings) + len(results.findings.watch) + 3


def test_the_page_says_why_the_first_comes_first_what_to_watch_what_is_style_and_what_is_not_offered():
    results = drive_results()
    text = " ".join("".join(Page(render(results)).text).split())
    findings = results.findings
    assert findings.priority.why_first in text
    order = [
        "What we found",
        "Worth watching, not sure",
        "What was measured",
        "Style, not fault",
        "What could not be measured",
        "do not offer",
    ]
    assert [text.index(title) for title in order] == sorted(text.index(title) for title in order)
    for watch in findings.watch:
        assert watch.title in text and watch.message in text and watch.what_would_confirm.text in text
    for note in findings.style_notes:
        assert note.message in text and note.source in text and note.category in text
    for item in results.metrics.not_offered:
        assert item.name in text and item.reason in text
    for finding in findings.findings:
        assert finding.what_would_confirm.text in text


def test_the_stills_of_each_ball_are_on_the_page_where_there_are_balls_and_a_strip():
    strip = strip_png([])
    assert "Ball by ball" in render(strip_png=strip) and 'class="strip"' in render(strip_png=strip)
    assert 'class="strip"' not in render() and 'class="strip"' not in render(nobody_results(), strip_png=strip)


def test_more_than_three_technique_findings_are_never_shown():
    results = drive_results()
    many = results.findings.findings * 3
    crowded = results.findings.model_copy(update={"findings": many})
    assert render(findings=crowded).count('<article class="finding">') == 3


def test_what_was_not_measured_says_why_and_how_to_film_it():
    results = drive_results()
    text = "".join(Page(render(results)).text)
    for gap in results.findings.not_measured:
        assert gap.label in text and gap.reason in text and (gap.how_to_film or "") in text


def test_a_clip_with_nobody_in_it_has_no_empty_table_no_plots_and_one_way_forward():
    html = render(nobody_results())
    page = Page(html)
    text = "".join(page.text)
    assert "table" not in page.names() and "svg" not in page.names() and "None" not in text
    assert text.count("Nobody was found in the video.") == 1, "five equal reasons are one"
    assert "How to film it" in text and "Before the next video" in text


def test_the_frame_of_a_clip_with_nobody_in_it_is_not_called_the_player():
    text = "".join(Page(render(nobody_results(), player_png=picture())).text)
    assert "Is this your player?" not in text and "Nobody was found in it" in text


@pytest.mark.parametrize(
    ("text", "how", "shown"),
    [
        ("Call the seam", {"Call the seam": "Six feeds."}, ("Call the seam", "Six feeds.")),
        ("Seam call: six feeds.", {"Seam call": "Seam call: six feeds."}, ("Seam call", "Six feeds.")),
        ("Seam call", {"Seam call": "Seam call: six feeds."}, ("Seam call", "Six feeds.")),
        ("Film again", {}, ("Film again", "")),
    ],
)
def test_a_drill_has_its_name_and_its_how_apart(text, how, shown):
    assert named_drill(text, how) == shown


def test_a_drill_that_a_finding_names_is_not_listed_a_second_time():
    assert "More drills" not in render()


def test_a_page_without_findings_and_report_says_so():
    text = "".join(Page(render(findings=None, report=None)).text)
    assert "not there yet" in text and "The week ahead" not in text


def test_a_sound_player_is_told_that_nothing_stood_out():
    sound = drive_results().findings.model_copy(update={"findings": []})
    assert "Nothing stood out" in "".join(Page(render(findings=sound)).text)


def test_the_page_says_by_which_model_and_version_it_was_made():
    results = drive_results()
    text = "".join(Page(render(results)).text)
    for fact in (
        results.pose_summary.model,
        results.pose_summary.model_sha256[:12],
        results.meta.analysis_version,
        results.meta.source_sha256,
        "job-1",
    ):
        assert fact in text


def test_a_plain_string_cannot_enter_as_a_drawing():
    with pytest.raises(TypeError, match="front_knee_angle"):
        render(plots={"front_knee_angle": "<svg onload=alert(1)>"})


def test_a_picture_that_is_none_is_refused():
    with pytest.raises(ValueError, match="neither PNG nor JPEG"):
        render(player_png=b"<svg>")


def test_headings_do_not_skip_a_level_and_every_picture_has_words():
    page = Page(render(player_png=picture()))
    levels = [int(tag[1]) for tag in page.names() if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in pairwise(levels))
    assert all(attrs.get("alt") for tag, attrs in page.tags if tag == "img")
    assert all(attrs.get("aria-label") and attrs.get("role") == "img" for tag, attrs in page.tags if tag == "svg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quiet_and_coloured_words_have_enough_contrast(scheme):
    css = re.search(r"<style>(.*?)</style>", render(), re.S).group(1)
    blocks = re.findall(r":root \{(.*?)\}", css, re.S)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[0 if scheme == "light" else 1]))
    for words, ground in (
        ("ink", "paper"),
        ("quiet", "paper"),
        ("quiet", "ground"),
        ("field", "paper"),
        ("field", "ground"),
        ("ball", "paper"),
        ("willow", "paper"),
        ("willow", "willow-soft"),
    ):
        assert contrast(colours[words], colours[ground]) >= 4.5, f"{words} on {ground}"


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("width", [390, 1000])
def test_a_browser_draws_the_page_without_a_sideways_scroll(tmp_path, width):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed here, so the page cannot be looked at")
    cv2 = pytest.importorskip("cv2")
    page, shot = tmp_path / "report.html", tmp_path / "shot.png"
    page.write_text(render(player_png=picture()), encoding="utf-8")
    frame = tmp_path / "frame.html"
    # Headless Chromium has a smallest window width; a frame of the wanted width inside a wider one has none.
    frame.write_text(
        f'<body style="margin:0;background:#f0f"><iframe src="report.html" style="width:{width}px;height:2500px;border:0"></iframe>'
    )
    command = [
        chromium,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1100,2500",
        f"--screenshot={shot}",
        frame.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    image = cv2.imread(str(shot))
    inside = image[:2500, :width]
    margin = inside[:, -8:].reshape(-1, 3)
    assert (inside != inside[5, 5]).any(axis=2).mean() > 0.02, "the page is blank"
    assert (margin == margin[0]).all(), "something runs into the right margin"


def test_a_moment_without_a_score_is_shown_like_any_other():
    results = drive_results()
    first = results.findings.findings[0]
    bare = first.model_copy(update={"video_evidence": first.video_evidence.model_copy(update={"worst_frames": [moment(61.999, None)]})})
    assert "1:02.00" in render(findings=results.findings.model_copy(update={"findings": [bare]}))


def test_the_page_counts_the_days_itself_and_repeats_no_remark():
    results = drive_results()
    results.report.one_week_plan[0] = "Day one: watch the moments together."
    results.report.notes = list(results.findings.confidence_reasons)
    assert week(results.report)[0] == "Watch the moments together."
    html = render(results)
    assert "Day one" not in html.partition("<details>")[0]
    assert all(html.count(f"<li>{reason}</li>") == 1 for reason in results.findings.confidence_reasons)


def test_no_chance_is_shown_as_certain_and_no_definition_with_its_catalogue_name():
    assert [chance(p).replace("\u00a0", " ") for p in (0.0, 0.5, 1.0)] == ["under 1 %", "50 %", "over 99 %"]
    metric = next(m for m in drive_results().metrics.metrics.values() if m.value is not None)
    row = metric_row(metric.model_copy(update={"definition": "B5T: Time from the front foot landing to contact."}))
    assert row.definition == "Time from the front foot landing to contact."
