"""The report of a comparison links to those of its runs."""

from __future__ import annotations

from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.comparison import compare_methods
from gradtrack_model.study.jobs import Job
from tests.pages_of_html import read_page
from tests.synthetic import TINY


def test_a_comparison_links_to_the_reports_of_its_runs(folder):
    configs = [load_config("tiny", overrides=TINY | {"method": m}) for m in ("full", "gradtrack")]
    jobs = [Job(config.method, 0, config, discover(folder)) for config in configs]
    compare_methods(jobs, folder / "out")
    page = read_page(folder / "out" / "comparison.html")
    assert page.references[0].startswith("data:image/png;base64,")
    assert page.references[1:] == ["full/0/run/report.html", "gradtrack/0/run/report.html"]
    assert "from full" in page.text
    for link in page.references[1:]:
        read_page(folder / "out" / link)
