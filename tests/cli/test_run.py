"""`swell run` as a whole: what it prints where, its signals, and what it leaves behind."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

from tests.cli.working import WORKS, Start


def test_a_run_by_time_ends_with_its_table_and_its_document(swell: Start) -> None:
    ended = swell(WORKS, "-u", "4", "-r", "100", "-t", "1s", "-w", "2").finish()
    assert ended.exit_code == ended.documented_exit_code, ended.said
    run, totals = ended.result["run"], ended.result["totals"]
    assert (run["end"], run["duration_s"], run["workers"], totals["users_peak"]) == ("completed", 1.0, 2, 4)
    assert totals["requests"] == ended.result["scenarios"][0]["iterations"] > 100
    assert re.search(r"own nap +\d", ended.stdout)
    assert ended.stderr == ""


def test_the_document_alone_is_on_standard_output_if_asked_for(swell: Start) -> None:
    ended = swell(WORKS + 'print("from the script")\n', "-u", "1", "-t", "0.5s", json_path="-").finish()
    assert json.loads(ended.stdout)["run"]["end"] == "completed"
    assert "own nap" in ended.stderr
    assert "from the script" in ended.stderr


def test_quiet_says_nothing_but_what_users_print(swell: Start) -> None:
    chatty = WORKS.replace("time.sleep", "print('hello from a user'); time.sleep")
    ended = swell(chatty, "-u", "1", "-t", "0.5s", "--quiet").finish()
    assert set(ended.stdout.splitlines()) == {"hello from a user"}
    assert ended.stderr == ""


def test_without_a_terminal_there_is_a_line_every_few_seconds(swell: Start) -> None:
    run = swell(WORKS, "-u", "2", "-t", "6s", "-w", "1")
    run.wait_until(lambda: "0:05/0:06  2 users" in run.said, "the line after 5 s")
    assert run.finish().result["run"]["end"] == "completed"


def test_a_worker_is_called_what_it_is(swell: Start) -> None:
    run = swell(WORKS.replace("work(self):", "work(self):\n            print('at work')"), "-u", "2", "-w", "2")
    run.wait_until(lambda: "at work" in run.said, "work")
    assert all("swell worker-process" in " ".join(worker.cmdline()) for worker in run.workers())
    run.signal(signal.SIGTERM)
    assert run.finish().result["run"]["end"] == "stopped"


def test_nothing_is_left_behind(swell: Start) -> None:
    run = swell(WORKS, "-u", "2", "-t", "0.5s", "-w", "2")
    run.wait_until(lambda: len(run.workers()) == 2, "two workers")
    workers = run.workers()
    command = workers[0].cmdline()
    workplace = Path(command[command.index("--directory") + 1]).parent
    assert workplace.is_dir()
    assert run.finish().result["run"]["end"] == "completed"
    assert not workplace.exists()
    assert not any(worker.is_running() for worker in workers)


def test_an_interrupt_before_the_beginning_ends_it_too(swell: Start) -> None:
    slow = 'import time\nfrom swell import setup\n@setup\ndef prepare():\n    print("preparing", flush=True)\n'
    run = swell(slow + "    time.sleep(60)\n" + "\n".join(line[4:] for line in WORKS.splitlines()), "-u", "2")
    run.wait_until(lambda: "preparing" in run.said, "the setup")
    run.signal_group(signal.SIGINT)
    assert run.finish(10).exit_code == 130


def test_a_flood_of_output_is_bounded_and_counted(swell: Start) -> None:
    flooding = WORKS.replace("time.sleep(0.001)", "print('flood\\n' * 5_000); time.sleep(0.001)")
    ended = swell(flooding, "-u", "1", "-t", "1s", "-w", "1").finish()
    shown = ended.stdout.splitlines().count("flood")
    lost = ended.result["generator"]["output_lost"]
    assert shown + lost >= 5_000 * ended.result["totals"]["requests"]
    assert 0 < shown < 30_000 < lost


def test_logs_of_users_come_from_the_level_asked_for(swell: Start) -> None:
    logging = WORKS.replace("time.sleep(0.001)", "log.info('noted'); log.warning('warned')").replace(
        "import time", "import logging\n    log = logging.getLogger('shop')"
    )
    ended = swell(logging, "-u", "1", "-t", "0.5s", "--log-level", "WARNING").finish()
    assert set(ended.stderr.splitlines()) == {"WARNING shop: warned"}


def test_a_script_that_fails_in_a_worker_only_is_said_with_its_traceback(swell: Start) -> None:
    script = 'import sys\nif "worker-process" in sys.orig_argv:\n    raise LookupError("only here")\n'
    ended = swell(script + "\n".join(line[4:] for line in WORKS.splitlines()), "-u", "1", "-t", "1s").finish()
    assert ended.exit_code == 2
    assert "script.py:3" in ended.stderr
    assert "LookupError: only here" in ended.stderr
    assert ended.result == {}


def test_a_worker_that_dies_before_the_beginning_is_said_with_its_last_words(swell: Start) -> None:
    script = 'import os, sys\nif "worker-process" in sys.orig_argv:\n    os.write(2, b"out of luck")\n    os._exit(9)\n'
    ended = swell(script + "\n".join(line[4:] for line in WORKS.splitlines()), "-u", "1", "-t", "1s").finish()
    assert ended.exit_code == 4
    assert ended.stderr == "swell: worker 0 ended with exit code 9\nout of luck\n"


def test_the_mix_of_scenarios_follows_the_weights_while_users_are_started(swell: Start) -> None:
    script = """
    from swell import User, constant, task

    class Reader(User):
        weight = 3
        wait_time = constant(60)

        @task
        def start(self):
            with self.measure("start", type(self).__name__):
                pass

    class Writer(Reader):
        weight = 1
    """
    ended = swell(script, "-u", "80", "-r", "40", "-t", "2.5s", "-w", "2").finish()
    started = {series["name"]: series["requests"] for series in ended.result["series"]}
    assert started == {"Reader": 60, "Writer": 20}
    by_second = [point["requests"] for point in ended.result["timeline"]]
    assert all(abs(count - 40) <= 4 for count in by_second[:2]), by_second
