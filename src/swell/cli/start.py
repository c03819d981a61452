"""`swell run`: from an opened command line to a plan that holds, and on to the run."""

from __future__ import annotations

import secrets
import sys

import msgspec

from swell.cli import exports, listening, options, sample_files, storing, thresholds
from swell.cli.checks import fd_notices, host_problems, machine_problems, port_notices
from swell.cli.load_options import Planned, planned
from swell.cli.machine import ephemeral_ports, raise_fd_limit, usable_cores
from swell.cli.opening import Opened
from swell.cli.outputs import wanted
from swell.cli.settings import Settings
from swell.cli.storing import Keeping
from swell.plan import MOST_WORKERS, RunPlan, notices, problems


def start(opened: Opened) -> int:
    """Check everything that can be known before a run, then carry it out. Raises PlanError with all that is wrong."""
    settings = opened.settings
    if settings[options.RESUME]:
        from swell.cli.resume import resume

        return resume(opened)
    demands, faults = thresholds.wanted(opened)
    load = planned(opened)
    compared, unread = thresholds.baseline(settings)
    plan = msgspec.structs.replace(
        plan_of(opened, load),
        thresholds=tuple(text for text, _ in demands),
        baseline=compared.run if compared else settings[options.BASELINE],
    )
    outputs, keeping = wanted(settings), storing.wanted(settings)
    kept = kept_files(opened, keeping)
    exported, unreachable = exports.wanted(settings)
    heard, unheard = listening.wanted(settings)
    script = opened.script_without(
        *load.problems,
        *problems(plan),
        *host_problems(plan),
        *machine_problems(plan, usable_cores()),
        *outputs.problems({**kept, **sample_files.kept_files(settings)}),
        *sample_files.problems(settings, kept),
        *storing.contradictions(settings),
        *storing.problems(keeping),
        *faults,
        *thresholds.problems(demands, plan),
        *unread,
        *unreachable,
        *unheard,
    )
    from swell.cli.run import Faces, carry_out

    faces = Faces(
        outputs=outputs,
        keeping=keeping,
        exports=exported,
        samples_path=settings[options.SAMPLES],
        baseline=compared,
        quiet=settings[options.QUIET],
        strict=settings[options.STRICT],
        exit_code_on_failures=settings[options.EXIT_CODE_ON_FAILURES],
    )
    opening, left_out = listening.opening(heard, script) if heard else (None, ())
    of_machine = (*fd_notices(plan, raise_fd_limit()), *port_notices(plan, ephemeral_ports()))
    unused = thresholds.baseline_notices(plan, compared)
    for notice in (
        *opened.notices,
        *load.notices,
        *notices(plan),
        *of_machine,
        *unused,
        *left_out,
        *exported.notices(),
    ):
        print(f"swell: notice: {notice}", file=sys.stderr)
    return carry_out(plan, script, faces, opening)


def kept_files(opened: Opened, keeping: Keeping | None) -> dict[str, str]:
    """Files that the run needs, which nothing it writes may take the place of, and what each is."""
    read = {str(path): "read by the script" for path in opened.script.files_read} if opened.script else {}
    return {**read, opened.path: "the script", **(storing.kept_files(keeping.path) if keeping else {})}


def plan_of(opened: Opened, load: Planned) -> RunPlan:
    """The plan that a command line describes, with a load."""
    settings = opened.settings
    users = MOST_WORKERS if load.shape else sum(each.most_users for each in load.loads)
    expected = _expected_workers(settings)
    workers = settings[options.WORKERS]
    if workers is None:
        workers = 0 if expected else min(usable_cores(), max(users, 1))
    seed = settings[options.SEED]
    return RunPlan(
        script=opened.path,
        script_arguments=opened.script_arguments,
        scenarios=load.scenarios,
        host=settings[options.HOST],
        loads=load.loads,
        feeds=opened.script.feed_plans() if opened.script else (),
        shape=load.shape,
        shape_options=load.shape_options,
        run_time_s=None if load.shape_options else settings[options.RUN_TIME],
        workers=workers,
        expected_workers=expected,
        expect_timeout_s=settings[options.EXPECT_TIMEOUT],
        lease_s=settings[options.LEASE],
        tags=settings[options.TAGS],
        exclude_tags=settings[options.EXCLUDE_TAGS],
        stop_timeout_s=settings[options.STOP_TIMEOUT],
        seed=secrets.randbits(32) if seed is None else seed,
        request_id_header=settings[options.REQUEST_ID_HEADER],
        trace_ratio=settings[options.TRACE],
        keep_records=bool(settings[options.SAMPLES]),
        resolve=settings[options.RESOLVE],
        source_addresses=settings[options.SOURCE_ADDRESS],
        log_level=settings[options.LOG_LEVEL],
    )


def _expected_workers(settings: Settings) -> int:
    """How many workers of other machines a run waits for: one, if it listens for any and does not say."""
    expected = settings[options.EXPECT_WORKERS]
    if not settings[options.LISTEN]:
        return 0
    return 1 if expected is None else expected
