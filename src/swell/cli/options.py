"""Every option of swell, declared once.

From a declaration come the flag (`--spawn-rate`), the environment variable (`SWELL_SPAWN_RATE`), the key in a config
file (`spawn-rate`), the help text and the line in docs/reference/options.md.
"""

from __future__ import annotations

import dataclasses

from swell.cli import values
from swell.cli.option import Option, Section
from swell.cli.values import Kind

HOST = Option(
    name="host",
    short="-H",
    kind=values.URL,
    default="",
    default_text="each class's `host`",
    section=Section.TARGET,
    commands=("run", "debug"),
    help="Base URL of the target, for example https://test.example.com. `unix:/run/app.sock` is one too.",
)
RESOLVE = Option(
    name="resolve",
    kind=values.NAMES,
    metavar="HOST:PORT:ADDRESS",
    default=(),
    default_text="what DNS says",
    section=Section.TARGET,
    commands=("run", "debug"),
    help="Connect to ADDRESS for HOST:PORT, whatever DNS says.",
)
SOURCE_ADDRESS = Option(
    name="source-address",
    kind=values.NAMES,
    metavar="A,B",
    default=(),
    default_text="the system's choice",
    section=Section.TARGET,
    commands=("run", "debug"),
    help="Addresses of this machine to connect from, in turn. One address has about 28,000 ports per target.",
)
REQUEST_ID_HEADER = Option(
    name="request-id-header",
    kind=values.TEXT,
    metavar="NAME",
    default="",
    default_text="none",
    section=Section.TARGET,
    help="Send each exchange's number (run/worker.incarnation/n) in the header NAME, to find it in the target's log.",
)
TRACE = Option(
    name="trace",
    kind=values.RATIO,
    default=0.0,
    default_text="none",
    section=Section.TARGET,
    help="Send the header `traceparent` with this share of calls (0.01 or 1%), so that an APM has their traces; the "
    "result names those of the slowest and of failed calls.",
)
USERS = Option(
    name="users",
    short="-u",
    kind=values.COUNT,
    default=1,
    section=Section.LOAD,
    help="How many users run at the same time. This and the other options that plan the load (-r, --rate, "
    "--rate-stage, --stage, --iterations) replace the `load` of every class.",
)
SPAWN_RATE = Option(
    name="spawn-rate",
    short="-r",
    kind=values.RATE,
    default=None,
    default_text="all within 1 s, at most 100/s",
    section=Section.LOAD,
    help="How many users start per second, evenly spaced: 100/s is one every 10 ms.",
)
RATE = Option(
    name="rate",
    kind=values.RATE,
    default=None,
    default_text="none",
    section=Section.LOAD,
    help="So many iterations begin per second, whether or not the target keeps up: 500/s, 30/m. With it, --users says "
    "how many users are ready before the first.",
)
RATE_STAGE = Option(
    name="rate-stage",
    kind=values.RATE_STAGES,
    default=(),
    default_text="none",
    section=Section.LOAD,
    help="Go evenly to RATE within DURATION: --rate-stage 2m:500 --rate-stage 10m:500. The first begins at 0/s.",
)
RATE_SPREAD = Option(
    name="rate-spread",
    kind=Kind("SPREAD", values.choice("even", "poisson")),
    default="even",
    section=Section.LOAD,
    help="How arrivals lie in time: even, or poisson for independent ones, as people are.",
)
MAX_USERS = Option(
    name="max-users",
    kind=values.MAYBE_COUNT,
    default=None,
    default_text="the rate times 10 s, from 100 to 10,000",
    section=Section.LOAD,
    help="How many users there may be for --rate and --rate-stage. While all of them are busy, arrivals are dropped "
    "and counted.",
)
STAGE = Option(
    name="stage",
    kind=values.USER_STAGES,
    default=(),
    default_text="none",
    section=Section.LOAD,
    help="Go evenly to USERS within DURATION: --stage 2m:1000 --stage 10m:1000 --stage 30s:0. The first begins at 0.",
)
ITERATIONS = Option(
    name="iterations",
    kind=values.MAYBE_COUNT,
    default=None,
    default_text="any number",
    section=Section.LOAD,
    help="So many iterations in all, shared by the --users.",
)
RUN_TIME = Option(
    name="run-time",
    short="-t",
    kind=values.MAYBE_DURATION,
    default=None,
    default_text="until its load is over, or it is stopped",
    section=Section.LOAD,
    help="How long the run takes: 30s, 5m, 1h30m; a bare number is in seconds. A load that takes longer is cut off.",
)
STOP_TIMEOUT = Option(
    name="stop-timeout",
    kind=values.DURATION,
    default=5.0,
    default_text="5s",
    section=Section.LOAD,
    help="How long a task under way may take to finish when its user is to stop.",
)
SEED = Option(
    name="seed",
    kind=values.MAYBE_COUNT,
    default=None,
    default_text="a new one each run, shown in the result",
    section=Section.LOAD,
    help="Where every user's `self.random` and choice of tasks starts. The same seed, the same choices.",
)
TAGS = Option(
    name="tags",
    short="-T",
    kind=values.NAMES,
    default=(),
    default_text="all tasks",
    section=Section.SCRIPT,
    commands=("run", "debug"),
    help="Run only tasks with one of these tags.",
)
EXCLUDE_TAGS = Option(
    name="exclude-tags",
    short="-E",
    kind=values.NAMES,
    default=(),
    default_text="none",
    section=Section.SCRIPT,
    commands=("run", "debug"),
    help="Leave out tasks with one of these tags.",
)
RESUME = Option(
    name="resume",
    kind=values.TEXT,
    metavar="RUN",
    default="",
    default_text="a new run",
    section=Section.CLUSTER,
    help="Take up a stored run whose `swell run` has died: its name, its id or `latest`. Plan and script are the run's "
    "own; give --listen and --key as it had them, and what is to be written at the end.",
)
CONFIG = Option(
    name="config",
    kind=values.PATH,
    default="",
    default_text="`swell.toml` and `pyproject.toml` in this folder",
    section=Section.SCRIPT,
    commands=("run", "debug"),
    in_config=False,
    help="Read options from this file instead.",
)
WORKERS = Option(
    name="workers",
    short="-w",
    kind=values.MAYBE_COUNT,
    default=None,
    default_text="one per usable core, at most one per user; none where others are expected",
    section=Section.MACHINE,
    help="How many worker processes of this machine carry the users.",
)
LOG_LEVEL = Option(
    name="log-level",
    kind=Kind("LEVEL", values.choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    default="INFO",
    section=Section.MACHINE,
    commands=("run", "debug"),
    help="Show log records of this level and above: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
)
LISTEN = Option(
    name="listen",
    kind=values.TEXT,
    metavar="HOST:PORT",
    default="",
    default_text="for nobody",
    section=Section.CLUSTER,
    help="Listen there for workers of other machines, which `swell worker HOST:PORT` starts. `*:5557` is port 5557 of "
    "every address of this machine. Anywhere but on loopback it takes --key too.",
)
EXPECT_WORKERS = Option(
    name="expect-workers",
    kind=values.MAYBE_COUNT,
    default=None,
    default_text="1 with --listen",
    section=Section.CLUSTER,
    help="Begin when so many worker processes of other machines are ready. Any that come later join the run.",
)
EXPECT_TIMEOUT = Option(
    name="expect-timeout",
    kind=values.DURATION,
    default=60.0,
    default_text="60s",
    section=Section.CLUSTER,
    help="Give up when fewer are ready by then.",
)
LEASE = Option(
    name="lease",
    kind=values.DURATION,
    default=15.0,
    default_text="15s",
    section=Section.CLUSTER,
    help="How long a worker goes on that hears nothing of the controller. Then its users stop there, and others have "
    "them.",
)
KEY = Option(
    name="key",
    kind=values.PATH,
    default="",
    default_text="none",
    section=Section.CLUSTER,
    commands=("run", "worker"),
    help="The cluster's key, which `swell keygen FILE` makes: without it nobody joins, and nobody can listen in.",
)
PROCESSES = Option(
    name="processes",
    kind=values.MAYBE_COUNT,
    default=None,
    default_text="one per usable core",
    section=Section.CLUSTER,
    commands=("worker",),
    help="How many worker processes this machine runs.",
)
CONNECT_TIMEOUT = Option(
    name="connect-timeout",
    kind=values.DURATION,
    default=60.0,
    default_text="60s",
    section=Section.CLUSTER,
    commands=("worker",),
    help="How long to wait for a controller that is not there yet.",
)
JSON = Option(
    name="json",
    kind=values.PATH,
    metavar="FILE|-",
    default="",
    default_text="not written",
    section=Section.RESULT,
    help="Write the result to FILE as JSON. With - it goes to stdout, and everything else to stderr.",
)
AS_JSON = Option(
    name="json",
    kind=values.FLAG,
    default=False,
    section=Section.RESULT,
    commands=("runs", "show", "compare"),
    in_config=False,
    help="Print JSON, for machines, and nothing else.",
)
HTML = Option(
    name="html",
    kind=values.PATH,
    metavar="FILE|-",
    default="",
    default_text="not written",
    section=Section.RESULT,
    help="Write the result to FILE as one HTML page with charts, which needs no network.",
)
SAMPLES = Option(
    name="samples",
    kind=values.PATH,
    default="",
    default_text="not written",
    section=Section.RESULT,
    help="Write every call to FILE while the run goes on: CSV or Parquet, as it ends in .csv or .parquet.",
)
CSV = Option(
    name="csv",
    kind=values.PATH,
    metavar="PREFIX",
    default="",
    default_text="not written",
    section=Section.RESULT,
    help="Write PREFIX_stats.csv, PREFIX_stats_history.csv, PREFIX_failures.csv and PREFIX_exceptions.csv, column for "
    "column as Locust does.",
)
JUNIT = Option(
    name="junit",
    kind=values.PATH,
    metavar="FILE|-",
    default="",
    default_text="not written",
    section=Section.RESULT,
    help="Write thresholds, checks and failed requests to FILE as JUnit's XML, for a CI system.",
)
HDR = Option(
    name="hdr",
    kind=values.PATH,
    metavar="FILE|-",
    default="",
    default_text="not written",
    section=Section.RESULT,
    help="Write response times to FILE as a log of HdrHistogram's, an interval a second, for its tools.",
)
STORE = Option(
    name="store",
    kind=values.PATH,
    default="",
    default_text="`.swell/runs.db` in this folder",
    section=Section.RESULT,
    commands=("run", "demo", "runs", "show", "report", "compare"),
    help="The file in which runs are stored; a run makes one that is not there yet.",
)
NO_STORE = Option(
    name="no-store",
    kind=values.FLAG,
    default=False,
    section=Section.RESULT,
    commands=("run", "demo"),
    help="Do not store the run.",
)
RUN_NAME = Option(
    name="run-name",
    kind=values.TEXT,
    metavar="NAME",
    default="",
    default_text="none",
    section=Section.RESULT,
    help="What the run is called in the store. Several may have the same name: it then means the latest of them.",
)
RUN_TAG = Option(
    name="run-tag",
    kind=values.NAMES,
    metavar="A,B",
    default=(),
    default_text="none",
    section=Section.RESULT,
    help="Tags for the run in the store, by which `swell runs --tag` finds it.",
)
QUIET = Option(
    name="quiet",
    short="-q",
    kind=values.FLAG,
    default=False,
    section=Section.RESULT,
    help="Show nothing while it runs and no table at the end; only why the exit code is not 0.",
)
STRICT = Option(
    name="strict",
    kind=values.FLAG,
    default=False,
    section=Section.RESULT,
    help="End with exit code 5 if the verdict is degraded for any reason.",
)
THRESHOLD = Option(
    name="threshold",
    short="-x",
    kind=values.EXPRESSIONS,
    default=(),
    default_text="none",
    section=Section.RESULT,
    adds_up=True,
    help="What the run has to meet, for example `p95 < 300ms`; where it does not, the exit code is 3.",
)
BASELINE = Option(
    name="baseline",
    kind=values.TEXT,
    metavar="RUN",
    default="",
    default_text="none",
    section=Section.RESULT,
    help="The stored run that thresholds such as `p95 < 110% of baseline` refer to: its name, its id or `latest`.",
)
PROMETHEUS = Option(
    name="prometheus",
    kind=values.ADDRESS,
    default=None,
    default_text="not served",
    section=Section.RESULT,
    help="Serve the run's metrics at http://HOST:PORT/metrics for Prometheus, while it goes on.",
)
OTLP = Option(
    name="otlp",
    kind=values.URL,
    default="",
    default_text="not pushed",
    section=Section.RESULT,
    help="Push the run's metrics to an OpenTelemetry collector over HTTP, for example http://localhost:4318.",
)
FAIL_IF_SLOWER = Option(
    name="fail-if-slower",
    kind=values.MAYBE_PERCENTAGE,
    metavar="[PERCENT]",
    default=None,
    default_text="any result passes",
    section=Section.RESULT,
    commands=("compare",),
    in_config=False,
    help="End with exit code 3 if anything is slower; with PERCENT, as 5%, only if its whole interval lies beyond.",
)
EXIT_CODE_ON_FAILURES = Option(
    name="exit-code-on-failures",
    kind=values.MAYBE_EXIT_CODE,
    default=None,
    default_text="1, or 0 where a threshold judges errors",
    section=Section.RESULT,
    help="The exit code when requests failed and nothing worse happened; 0 lets failures pass.",
)

ALL: tuple[Option[object], ...] = (
    *(HOST, RESOLVE, SOURCE_ADDRESS, REQUEST_ID_HEADER, TRACE),
    *(USERS, SPAWN_RATE, RATE, RATE_STAGE, RATE_SPREAD, MAX_USERS, STAGE, ITERATIONS),
    *(RUN_TIME, STOP_TIMEOUT, SEED),
    *(TAGS, EXCLUDE_TAGS, CONFIG),
    *(WORKERS, LOG_LEVEL),
    *(LISTEN, EXPECT_WORKERS, EXPECT_TIMEOUT, LEASE, KEY, RESUME, PROCESSES, CONNECT_TIMEOUT),
    *(JSON, AS_JSON, HTML, CSV, JUNIT, HDR, SAMPLES, STORE, NO_STORE, RUN_NAME, RUN_TAG),
    *(PROMETHEUS, OTLP),
    *(QUIET, THRESHOLD, BASELINE, STRICT, EXIT_CODE_ON_FAILURES, FAIL_IF_SLOWER),
)

OF_DEMO: tuple[Option[object], ...] = (
    dataclasses.replace(USERS, default=20),
    dataclasses.replace(RUN_TIME, default=20.0, default_text="20s"),
    *(WORKERS, JSON, HTML, STORE, NO_STORE, QUIET),
)


def options_of(command: str) -> tuple[Option[object], ...]:
    """The options that a command takes, in the order of its help."""
    return tuple(option for option in ALL if command in option.commands)
