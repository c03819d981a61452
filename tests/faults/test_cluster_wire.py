"""Whoever taps the cable between controller and workers learns nothing of the script, its target, its series, its
secrets; without encryption, which only loopback may do without, they would learn all of it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import textwrap
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.command import SWELL, SwellRun
from tests.faults.lab.cluster import PORT, cluster
from tests.faults.lab.namespaces import namespace
from tests.faults.lab.scale import Scale
from tests.faults.lab.wire import tapped
from tests.targets.nginx import nginx

RUN_S = 10
SCRIPT = textwrap.dedent(
    """
    # a remark that nobody else is to read
    from swell import HttpUser, constant, secret, task

    class Depositor(HttpUser):
        wait_time = constant(0.05)

        @task
        def deposit(self):
            headers = {"X-Token": secret("VAULT_TOKEN"), "X-Note": "sealed-letter"}
            self.client.get("/ok?account=4711", name="a-name-of-a-series", headers=headers)
            print("a line that a user has written")
    """
)
TOKEN = "hunter2-and-then-some"
ZLIB_HEAD = b"\x78\x9c"
SERIES = "a-name-of-a-series"
SAID = (
    b"a remark that nobody else is to read",
    b"/ok?account=4711",
    b"sealed-letter",
    b"a line that a user has written",
    b"Depositor",
    SERIES.encode(),
    TOKEN.encode(),
)


def told(packets: Sequence[bytes], *more: bytes) -> list[bytes]:
    """Which of the texts that were said can be read in some packet, or in what is compressed there."""
    readable = [*packets, *(content for packet in packets for content in inflated(packet))]
    return [text for text in (*SAID, *more) if any(text in content for content in readable)]


def inflated(packet: bytes) -> Iterator[bytes]:
    """What may be there in zlib's form, as the script's archive is."""
    for match in re.finditer(ZLIB_HEAD, packet):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj().decompress(packet[match.start() :], 1 << 20)


@pytest.mark.row("strangers")
def test_nothing_of_a_run_can_be_read_on_its_way(tmp_path: Path, scale: Scale) -> None:
    run_s = scale.seconds(RUN_S)
    with cluster(tmp_path, scale, 1) as lab, tapped(lab.net.centre, "link1") as tap:
        lab.run(SCRIPT, "-u", "4", "-t", f"{run_s:g}s", "--no-store", expect=1, prefix=("env", f"VAULT_TOKEN={TOKEN}"))
        lab.join(0)
        ended = lab.finish(run_s)
    ended.check_sums()
    assert ended.series(SERIES)["requests"] > 0
    packets = tap.of_port(PORT)
    assert len(packets) > 20
    assert told(packets, lab.target.url.encode()) == []
    assert told(tap.packets, lab.target.url.encode()) == []


@pytest.mark.row("strangers")
def test_without_encryption_it_could(tmp_path: Path, scale: Scale) -> None:
    """So the test above can fail: the same run, tapped in the same way, on a loopback of its own and without a key."""
    run_s = scale.seconds(RUN_S)
    listening = f"127.0.0.1:{PORT}"
    with namespace("alone") as place, nginx(bind=place.within) as target, tapped(place, "lo") as tap:
        options = ("-H", target.url, "-u", "4", "-t", f"{run_s:g}s", "--no-store", "--listen", listening)
        run = SwellRun(tmp_path, SCRIPT, *options, prefix=(*place.prefix, "env", f"VAULT_TOKEN={TOKEN}"))
        worker = subprocess.Popen(
            [*place.prefix, SWELL, "worker", listening, "--processes", "1"], cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        try:
            ended = run.finish(run_s + 15)
        finally:
            run.kill()
            worker.terminate()
            worker.wait()
    ended.check_sums()
    assert ended.series(SERIES)["requests"] > 0
    everything = target.url.encode()
    assert told(tap.of_port(PORT), everything) == [*SAID, everything]
