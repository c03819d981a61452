"""The page of a run in a real browser: from a file, without a network, whatever its names are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swell.report.html_page import to_html
from swell.result import RunResult
from swell.stats.summary import summarise
from tests.e2e.browser import Browser, Page
from tests.e2e.command import SwellRun
from tests.report import sample_results
from tests.report.long_results import long_run
from tests.report.test_html_page import hostile_run
from tests.targets.nginx import nginx

pytestmark = pytest.mark.timeout(60)

INK = """(selector => [...document.querySelectorAll(selector + " canvas")].map(canvas => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return data.some((value, place) => place % 4 === 3 && value > 0);
}))"""
NAMES = """[...document.querySelectorAll("#series-table > tbody > tr")]
  .filter(row => row.offsetParent).map(row => row.querySelector("th").textContent.trim())"""
SCRIPT = """
from swell import HttpUser, constant, task


class Reader(HttpUser):
    wait_time = constant(0.01)

    @task
    def read(self):
        self.client.get("/")

    @task
    def miss(self):
        self.client.get("/</script><img src=x onerror=alert(1)>", name="/</script><img src=x onerror=alert(1)>")
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    opened: list[Page] = []

    def open_(result: RunResult | Path, **how: object) -> Page:
        path = result if isinstance(result, Path) else tmp_path / "page.html"
        if not isinstance(result, Path):
            path.write_text(to_html(result, summarise(result)), encoding="utf-8")
        page = browser.open(path, **how)  # type: ignore[arg-type]
        page.settle()
        opened.append(page)
        return page

    yield open_
    for page in opened:
        page.run("localStorage.clear()")
        assert (page.errors, page.requests, page.dialogs) == ([], [], [])
        page.close()


def test_a_run_writes_a_page_that_opens_from_its_file(
    swell: Callable[..., SwellRun], tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    path = tmp_path / "report.html"
    with nginx() as target:
        ended = swell(SCRIPT, "-H", target.url, "-u", "4", "-t", "2s", "--html", str(path)).finish()
    assert ended.exit_code == ended.documented_exit_code
    page = open_page(path)
    assert page.run("document.querySelector('h1').textContent").startswith("script.py → http://")
    assert page.run(NAMES) == ["GET /", "GET /</script><img src=x onerror=alert(1)>"]
    assert page.run(f"{INK}('.chart')") == [True] * 7
    assert page.run("document.images.length") == 0


def test_charts_share_cursor_and_zoom(open_page: Callable[..., Page]) -> None:
    page = open_page(long_run(5, 0.1, 3))
    left, top, width = page.run(
        "(box => [box.left, box.top, box.width])"
        "(document.querySelector('[data-chart=rates] .u-over').getBoundingClientRect())"
    )
    page.run("scrollTo(0, 0)")
    page.drag(left + 0.25 * width, left + 0.5 * width, top + 40)
    page.settle()
    assert page.run("!document.querySelector('#whole').hidden")
    assert page.run("document.querySelector('#moment').value").startswith("2:1")
    assert page.run("document.querySelector('output[data-line=p95]').value") != page.run(
        "document.querySelector('output[data-line=p95]').dataset.rest"
    )
    page.run("document.querySelector('#whole').click()")
    assert page.run("document.querySelector('#whole').hidden")


def test_a_keyboard_moves_along_a_chart(open_page: Callable[..., Page]) -> None:
    page = open_page(sample_results.ended())
    page.run("document.querySelector('[data-chart=times] .plot').focus()")
    for _ in range(3):
        page.key("ArrowRight")
    page.settle()
    assert page.run("document.querySelector('#moment').value") == "0:02 · 12:00:02 UTC"
    assert page.run("document.querySelector('output[data-line=rps]').value") == "200.0"
    page.key("Escape")
    page.settle()
    assert page.run("document.querySelector('output[data-line=rps]').value") == "202.4 mean"


def test_a_long_table_sorts_filters_and_unfolds(open_page: Callable[..., Page]) -> None:
    page = open_page(sample_results.of_many_series(300, 3))
    assert len(page.run(NAMES)) == 30
    page.run("document.querySelector('button.more').click()")
    assert len(page.run(NAMES)) == 300
    heads = page.run("[...document.querySelectorAll('#series-table thead th')].map(head => head.textContent)")
    page.run(f"document.querySelectorAll('#series-table button.sort')[{heads.index('max ms')}].click()")
    assert page.run(NAMES)[:3] == ["GET /items/300", "GET /items/299", "GET /items/298"]
    page.run(
        "(box => { box.value = 'items/29'; box.dispatchEvent(new Event('input')); })(document.querySelector('#filter'))"
    )
    assert page.run(NAMES) == [f"GET /items/{number}" for number in (*range(299, 289, -1), 29)]
    assert page.run("document.querySelector('#found').value") == "11 of 300"
    page.run("document.querySelector('#failing').click()")
    assert page.run(NAMES) == []


def test_a_row_opens_to_its_distribution(open_page: Callable[..., Page]) -> None:
    page = open_page(sample_results.ended())
    page.run("document.querySelector('button.open').click()")
    page.settle()
    assert page.run("document.querySelector('button.open').getAttribute('aria-expanded')") == "true"
    assert page.run(f"{INK}('tr.detail .chart')") == [True] * 4
    assert page.run("document.querySelector('tr.detail tbody th').textContent") == "response"
    page.run("document.querySelector('button.open').click()")
    assert page.run("document.querySelector('tr.detail').offsetParent") is None


def test_colours_follow_the_system_until_somebody_chooses(open_page: Callable[..., Page]) -> None:
    page = open_page(sample_results.ended())
    background = "getComputedStyle(document.body).backgroundColor"
    page.prefer("light")
    light = page.run(background)
    page.prefer("dark")
    dark = page.run(background)
    assert light != dark
    page.run("document.querySelector('#theme').click()")
    assert page.run(background) == light
    assert page.run("document.querySelector('#theme').textContent") == "Dark"
    assert page.run(f"{INK}('.charts')") == [True] * 5


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_no_screen_is_too_narrow(open_page: Callable[..., Page], width: int) -> None:
    page = open_page(sample_results.troubled(), width=width)
    assert page.run("document.documentElement.scrollWidth") <= width


def test_hostile_names_do_nothing(open_page: Callable[..., Page]) -> None:
    page = open_page(hostile_run())
    page.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    page.run("document.querySelectorAll('button.open').forEach(one => one.click())")
    page.settle()
    assert page.run("[document.images.length, document.scripts.length]") == [0, 2]


@pytest.mark.parametrize("name", ["without_requests", "hostile", "running"])
def test_odd_runs_make_no_trouble(open_page: Callable[..., Page], name: str) -> None:
    page = open_page(getattr(sample_results, name)())
    page.run("document.querySelectorAll('button.open').forEach(one => one.click())")
    page.settle()
    assert page.run("document.querySelectorAll('h2').length") > 5


def test_without_javascript_figures_and_tables_are_there(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    result = sample_results.ended()
    path.write_text(to_html(result, summarise(result)), encoding="utf-8")
    page = browser.open(path, script=False)
    snapshot = page.send("DOMSnapshot.captureSnapshot", computedStyles=[])
    shown = {snapshot["strings"][index] for index in snapshot["documents"][0]["layout"]["text"] if index >= 0}
    assert {"Valid", "2,024", "/leaderboard", "HTTP 503"} <= {text.strip() for text in shown}
    assert any(text.startswith("The charts need JavaScript") for text in shown)
    page.close()


def test_it_prints_with_everything_open(open_page: Callable[..., Page]) -> None:
    page = open_page(sample_results.troubled())
    page.prefer("dark")
    page.run("addEventListener('beforeprint', () => window.printed = [...document.querySelectorAll('details')]"
             ".every(one => one.open) && document.documentElement.dataset.theme)")  # fmt: skip
    assert page.pdf().startswith(b"%PDF")
    assert page.run("window.printed") == "light"
    assert page.run("[document.documentElement.dataset.theme ?? '', document.querySelector('details').open]") == [
        "",
        False,
    ]
