"""What a person at a terminal sees of a run, and the terminal that is left behind."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.tmux import Tmux
from tests.targets.nginx import Nginx, nginx

SCRIPT = """
    import time
    from swell import HttpUser, constant, task

    class Reader(HttpUser):
        wait_time = constant(0.02)

        def on_start(self):
            self.client.get("/hello.txt")

        @task(3)
        def read(self):
            self.client.get("/124.html")

        @task
        def miss(self):
            self.client.get("/status/404")
    """
RUN = "swell run script.py --json result.json -H"


@pytest.fixture(scope="module")
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def screen(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    width, height = getattr(request, "param", (100, 30))
    with Tmux(tmp_path, width=width, height=height) as terminal:
        yield terminal


def result_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def check_restored(screen: Tmux) -> None:
    """Keys are echoed, lines are edited, the cursor is to be seen, and nothing that was pressed is left over."""
    screen.type("clear; stty -a | tr ';' '\\n' | grep -w -e echo -e icanon; echo done")
    text = screen.wait_for("^done$")
    assert not re.search(r"-(echo|icanon)\b", text)
    assert re.search(r"\becho\b", text)
    assert screen.shows_cursor()


@pytest.mark.parametrize("screen", [(80, 24), (120, 40)], indirect=True)
def test_the_live_view_says_how_far_the_run_is_and_the_table_what_it_came_to(screen: Tmux, target: Nginx) -> None:
    screen.type(f"{RUN} {target.url} -u 10 -t 4s")
    view = screen.wait_for(r"0:0[23] ?/ ?0:04")
    assert re.search(r"\b10/10\b", view)
    for word in ("requests/s", "failures/s", "p50 ms", "p95 ms", "p99 ms", "GET /124.html", "generator", "Ctrl-C"):
        assert word in view, word
    assert float(re.findall(r"10/10 +([\d.,]+)", view)[0].replace(",", "")) > 50
    table = screen.wait_for_prompt()
    assert re.search(r"completed after 4 s", table)
    for pattern in (r"GET /status/404 +\d", r"HTTP 404", r"statuses .*200 ", r"p99\.9", r"verdict +\w+", r"exchanges"):
        assert re.search(pattern, table), pattern
    assert table.count("Ctrl-C") == 0  # the view has made room for the table
    check_restored(screen)


def test_keys_add_and_take_users(screen: Tmux, target: Nginx, tmp_path: Path) -> None:
    screen.type(f"{RUN} {target.url} -u 5 -r 50 -w 2")
    screen.wait_for(r"\b5/5\b")
    for key, users in (("w", 6), ("W", 16), ("s", 15), ("S", 5)):
        screen.press(key)
        screen.wait_for(rf"\b{users}/{users}\b")
    screen.press("x", "Enter")
    screen.press("C-c")
    screen.wait_for_prompt()
    result = result_in(tmp_path)
    assert [revision["users"] for revision in result["run"]["revisions"]] == [6, 16, 15, 5]
    assert result["totals"]["users_peak"] == 16
    check_restored(screen)


def test_one_interrupt_ends_the_run_with_its_whole_result(screen: Tmux, target: Nginx, tmp_path: Path) -> None:
    screen.type(f"{RUN} {target.url} -u 5 -w 2; echo code $?")
    screen.wait_for(r"\b5/5\b")
    screen.press("C-c")
    said = screen.wait_for_prompt()
    result = result_in(tmp_path)
    assert result["run"]["end"] == "stopped"
    assert result["accounting"]["sent"] == result["accounting"]["answered"] > 0
    assert re.search(r"code [15]$", said, re.MULTILINE)
    assert "verdict" in said
    assert "Traceback" not in said
    check_restored(screen)


def test_two_interrupts_end_the_run_at_once_and_leave_the_terminal_in_order(screen: Tmux, target: Nginx) -> None:
    waits = SCRIPT.replace('"/124.html"', '"/slow", headers={"Accept-Encoding": "identity"}')
    screen.type(f"cat > script.py <<'END'\n{textwrap.dedent(waits)}\nEND")
    screen.type(f"{RUN} {target.url} -u 5 --stop-timeout 100; echo code $?")
    screen.wait_for(r"\b5/5\b")
    screen.press("C-c")
    screen.wait_for(r"5/|4/|3/|2/")
    screen.press("C-c")
    screen.wait_for("^code 130$", timeout_s=5)
    screen.wait_for_prompt()
    check_restored(screen)


def test_a_window_that_changes_its_size_is_followed(screen: Tmux, target: Nginx) -> None:
    screen.type(f"{RUN} {target.url} -u 5 -t 5s")
    screen.wait_for(r"\b5/5\b")
    for width, height in ((60, 20), (140, 45), (80, 24)):
        screen.resize(width, height)
        view = screen.wait_for(r"requests/s|req/s")
    screen.wait_for("0:0[34]")
    view = screen.text()
    assert view.count("generator") == 1
    assert view.count("0:05") == 1
    assert "Traceback" not in screen.wait_for_prompt()
    check_restored(screen)


def test_what_users_print_stays_above_the_view(screen: Tmux, target: Nginx, tmp_path: Path) -> None:
    talks = (
        SCRIPT
        + """
        def on_stop(self):
            print("goodbye from", id(self))

        @task
        def talk(self):
            print(f"said at {time.monotonic():.0f}")
            time.sleep(0.5)
    """
    )
    (tmp_path / "script.py").write_text(textwrap.dedent(talks))
    screen.type(f"{RUN} {target.url} -u 3 -t 3s")
    view = screen.wait_for(r"said at[\s\S]*0:02 ?/ ?0:03")
    assert view.rindex("said at") < view.index("0:02")
    said = screen.wait_for_prompt()
    assert said.count("goodbye from") == 3
    assert said.count("requests/s") == 0


def test_with_the_document_on_standard_output_the_view_is_on_standard_error(
    screen: Tmux, target: Nginx, tmp_path: Path
) -> None:
    screen.type(f"swell run script.py --json - -H {target.url} -u 5 -t 3s > out.json")
    view = screen.wait_for(r"0:0[12] ?/ ?0:03")
    assert "GET /124.html" in view
    assert "verdict" in screen.wait_for_prompt()
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["schema"] == "swell.result/1"
    check_restored(screen)


def test_quiet_shows_nothing_but_why_the_exit_code_is_not_0(screen: Tmux, target: Nginx, tmp_path: Path) -> None:
    screen.type(f"clear; {RUN} {target.url} -u 5 -t 1s --quiet; echo code $?")
    screen.wait_for(r"^code \d$")
    lines = screen.text().strip().splitlines()
    shown = [line for line in lines if "ready>" not in line and not line.startswith("code")]
    assert len(shown) == 1
    assert re.fullmatch(r"swell: [\d,]+ of [\d,]+ requests failed|swell: invalid: .*|swell: degraded: .*", shown[0])
    assert result_in(tmp_path)["totals"]["requests"] > 0


def test_without_a_terminal_there_is_a_line_now_and_then(screen: Tmux, target: Nginx, tmp_path: Path) -> None:
    screen.type(f"{RUN} {target.url} -u 5 -t 6s > out.txt; echo code $?")
    screen.wait_for(r"^code \d$")
    written = (tmp_path / "out.txt").read_text()
    assert "\x1b" not in written
    lines = [line for line in written.splitlines() if re.match(r"0:\d\d/0:06 ", line)]
    assert 1 <= len(lines) <= 2
    assert all("users" in line and "req/s" in line and "p95" in line for line in lines)
