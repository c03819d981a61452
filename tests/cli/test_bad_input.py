"""Whatever is wrong with a command line is said all at once, before anything is sent, with exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest

READER = """
from swell import HttpUser, constant, events, tag, task

@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--language", choices=["en", "de"], default="en", help="Accept-Language")
    parser.add_argument("--depth", type=int, default=1)

class Reader(HttpUser):
    host = "http://127.0.0.1:1"
    wait_time = constant(1)

    @tag("read")
    @task
    def read(self):
        self.client.get("/")
"""
NOBODY = "from swell import HttpUser\n"
HOMELESS = READER.replace('    host = "http://127.0.0.1:1"\n', "")
FTP = READER.replace("http://127.0.0.1:1", "ftp://a")
UNMARKED = "from swell import HttpUser\nclass Reader(HttpUser):\n    def read(self):\n        pass\n"
FILES = {
    "reader.py": READER,
    "nobody.py": NOBODY,
    "homeless.py": HOMELESS,
    "ftp.py": FTP,
    "unmarked.py": UNMARKED,
    "unparsed.py": "class Reader(:\n",
    "unimported.py": "import no_such_module_anywhere\n",
    "raising.py": "def f():\n    return {}['key']\n\nf()\n",
    "leaving.py": "import sys\nsys.exit(0)\n",
    "broken_options.py": READER.replace('"--language", choices', '"language", choices'),
    "own_loads.py": READER.replace("from swell import", "from swell import ramp, users,").replace(
        "    wait_time", '    load = users(ramp(to=2.5, over="soon"))\n    wait_time'
    )
    + """
class Writer(HttpUser):
    host = "http://127.0.0.1:1"
    @task
    def write(self): ...
""",
    "notes.txt": "",
    "swell.toml": "",
}
TOO_MANY = "is not a number over 0 and up to"
NO_LOAD = "give it one, leave the class out, or let -u replace them all"
DURATION = "is not a duration such as 30s, 5m, 1h30m or 90 (seconds)"


def said(folder: Path, line: str, **environment: str) -> tuple[int, list[str]]:
    for name, text in FILES.items():
        if not (folder / name).exists():
            (folder / name).write_text(text)
    command = [sys.executable, "-m", "swell", *line.split()]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert run.stdout == ""
    assert "bug in swell" not in run.stderr
    return run.returncode, [line.removeprefix("swell: ") for line in run.stderr.splitlines()]


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("run", ["no script given (swell run SCRIPT.py)"]),
        ("rnu reader.py", ["rnu: no such command (did you mean run?)"]),
        ("reader.py", ["reader.py: no such command (did you mean `swell run reader.py`?)"]),
        ("--users 5", ["--users: no such option (it belongs behind the command: `swell run ... --users`)"]),
        ("run readr.py", ["readr.py: no such script (did you mean reader.py?)"]),
        ("run zebra.py", ["zebra.py: no such script"]),
        ("run notes.txt", ["notes.txt: is not a Python file (its name must end in .py)"]),
        ("run nobody.py", [
            ("nobody.py: no user class in it (write a class that is a subclass of HttpUser or User; "
             "one with `abstract = True` does not count)")
        ]),
        ("run unmarked.py", ["Reader: has no tasks (put @task before read)"]),
        ("run unparsed.py", ["unparsed.py:1: syntax error: invalid syntax (class Reader(:)"]),
        ("run homeless.py", ["--host: Reader has no host (give -H URL, or set `host` in the class)"]),
        ("run ftp.py", ["Reader.host: 'ftp://a' is not an http:// or https:// URL"]),
        ("run reader.py Raeder Reader", ["Raeder: reader.py has no user class Raeder (did you mean Reader?)"]),
        ("run reader.py -T raed,write", [
            "--tags: no task has the tag 'raed' (did you mean read?)",
            "--tags: no task has the tag 'write' (tags are read)",
        ]),
        ("run reader.py -E read", ["--exclude-tags: no task is left"]),
        ("run reader.py --uesrs 5 --langauge=de -z", [
            "--uesrs: no such option (did you mean --users?)",
            "--langauge: no such option (did you mean --language?)",
            "-z: no such option",
        ]),
        ("run reader.py --depth x --users", [
            "--depth: invalid int value: 'x'",
            "--users: a value is missing behind it",
        ]),
        ("run reader.py -u 0 -r -1 -t nan", [
            f"--users: 0 {TOO_MANY} 1,000,000",
            f"--spawn-rate: -1 {TOO_MANY} 1,000,000",
            f"--run-time: nan {TOO_MANY} 315,360,000",
        ]),
        ("run reader.py -u 1000001 -r inf -t soon -w 0", [
            f"--run-time: 'soon' {DURATION}",
            f"--users: 1,000,001 {TOO_MANY} 1,000,000",
            f"--spawn-rate: inf {TOO_MANY} 1,000,000",
            f"--workers: 0 {TOO_MANY} 1,000",
        ]),
        ("run reader.py --threshold= --html= --store= --host=", [
            "--host: an empty text is no URL: write one, or leave the option out",
            "--html: an empty text names no file: name one, or leave the option out",
            "--store: an empty text names no file: name one, or leave the option out",
            "--threshold: an empty expression: write for example `p95 < 300ms`",
        ]),
        ("run reader.py --threshold=errors<1% --threshold= --baseline=", [
            "--threshold: an empty expression: write for example `p95 < 300ms`",
        ]),
        ("run reader.py --json reader.py --csv reader --samples reader_stats.csv --store s.db --no-store", [
            "--json: 'reader.py' is the script",
            "--csv: 'reader_stats.csv' is to be written by --samples too",
            "--no-store: cannot be given with --store (leave one out)",
        ]),
        ("run reader.py --store s.db --json ./s.db", ["--json: './s.db' is the store"]),
        (f"run reader.py --store {'x' * 300}", [f"--store: '{'x' * 300}' cannot be written: file name too long"]),
        ("run reader.py --rate 5/s --stage 2m:50 --max-users 0", [
            "--stage: cannot be given with --rate: each says how much load there is (leave one out)",
            "--max-users: 0 is not a number from 1 to 1,000,000",
        ]),
        ("run reader.py --stage 2m --rate-stage 5x:1 --rate-spread random", [
            "--rate-stage: '5x' is not a duration such as 30s, 5m, 1h30m or 90 (seconds)",
            "--rate-spread: 'random' is none of the choices: one of even, poisson",
            "--stage: '2m' is not of the form DURATION:LEVEL, such as 2m:1000",
        ]),
        ("run own_loads.py", [
            "Reader.load: ramp(to=2.5, over='soon'): to: 2.5 is not a whole number from 0 to 1,000,000",
            f"Reader.load: ramp(to=2.5, over='soon'): over: 'soon' {DURATION}",
            f"Writer.load: there is none, but Reader has a load ({NO_LOAD})",
        ]),
        ("run reader.py -u 1.5 -r fast --seed x --stop-timeout -1s --exit-code-on-failures 256", [
            "--users: '1.5' is not a whole number",
            "--spawn-rate: 'fast' is not a rate such as 100, 100/s or 30/m",
            f"--stop-timeout: '-1s' {DURATION}",
            "--seed: 'x' is not a whole number",
            "--exit-code-on-failures: '256' is not an exit code from 0 to 255",
        ]),
        ("run reader.py --json no/such/folder.json --log-level debgu", [
            "--log-level: 'debgu' is none of the choices: did you mean DEBUG?",
            "--json: 'no/such/folder.json' cannot be written: there is no folder 'no/such'",
        ]),
        ("run reader.py --json .", ["--json: '.' cannot be written: it is a folder"]),
        ("run reader.py --resolve a:b --source-address 192.0.2.1,here --request-id-header X:Y", [
            ("--request-id-header: 'X:Y' is not the name of a header "
             "(letters, digits and -, for example X-Request-ID)"),
            "--resolve: 'a:b' is not of the form HOST:PORT:ADDRESS",
            "--source-address: 'here' is not an IP address",
            "--source-address: '192.0.2.1' is not an address of this machine (`ip -brief address` lists them)",
        ]),
        ("run reader.py --config no.toml -H example.com", [
            "no.toml: cannot be read: No such file or directory",
            "--host: 'example.com' is not an http:// or https:// URL; did you mean http://example.com?",
        ]),
        ("run readr.py -u 0 --uesrs 3 -H x --json .", [
            "readr.py: no such script (did you mean reader.py?)",
            "--uesrs: no such option (did you mean --users?)",
            f"--users: 0 {TOO_MANY} 1,000,000",
            "--host: 'x' is not an http:// or https:// URL; did you mean http://x?",
            "--json: '.' cannot be written: it is a folder",
        ]),
        ("debug reader.py --users 3", ["--users: no such option"]),
        ("demo --users none --json .", [
            "--users: 'none' is not a whole number",
            "--json: '.' cannot be written: it is a folder",
        ]),
        ("doctor --help-me", ["--help-me: no such option (did you mean --help?)"]),
    ],
)  # fmt: skip
def test_every_problem_of_a_command_line_is_said(tmp_path: Path, line: str, problems: list[str]) -> None:
    assert said(tmp_path, line) == (2, problems)


@pytest.mark.parametrize(
    ("script", "frame", "problem"),
    [
        ("unimported.py", "unimported.py:1", "imports no_such_module_anywhere, which is not"),
        ("raising.py", "raising.py:2 in f", "raising.py:2: KeyError: 'key'"),
        ("leaving.py", "leaving.py:2", "leaving.py:2: the script ends the process while it is loaded (SystemExit)"),
        ("broken_options.py", "broken_options.py:6 in options", "a script can declare options only"),
    ],
)
def test_what_a_script_raises_comes_with_its_own_frames_and_none_of_ours(
    tmp_path: Path, script: str, frame: str, problem: str
) -> None:
    code, lines = said(tmp_path, f"run {script} -u 0")
    text = "\n".join(lines)
    assert code == 2
    assert frame in text
    assert problem in text
    assert lines[-1] == f"--users: 0 {TOO_MANY} 1,000,000"
    assert "src/swell" not in text


def test_values_from_elsewhere_are_placed_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text("# ours\nuesrs = 3\nusers = 0\nrun-time = 'soon'\n")
    (tmp_path / "pyproject.toml").write_text("[tool.swell]\nhost = 'x'\n")
    (tmp_path / "reader.py").write_text(READER + 'swell_options = {"run_time": "now", "workers": 0, "usres": 1}\n')
    assert said(tmp_path, "run reader.py", SWELL_SPAWN_RATE="0", SWELL_QUIET="perhaps") == (2, [
        "reader.py: swell_options[usres]: unknown option 'usres' (did you mean users?)",
        "swell.toml:2: uesrs: unknown option 'uesrs' (did you mean users?)",
        f"swell.toml:4: run-time: 'soon' {DURATION}",
        "SWELL_QUIET: 'perhaps' is neither true nor false",
        f"swell.toml:3: users: 0 {TOO_MANY} 1,000,000",
        f"SWELL_SPAWN_RATE: 0 {TOO_MANY} 1,000,000",
        f"reader.py: swell_options[workers]: 0 {TOO_MANY} 1,000",
        "pyproject.toml:2: host: 'x' is not an http:// or https:// URL; did you mean http://x?",
    ])  # fmt: skip


def test_more_users_than_file_descriptors_and_a_ramp_longer_than_the_run_are_named_before_the_start(
    tmp_path: Path,
) -> None:
    (tmp_path / "reader.py").write_text(READER)
    words = "run reader.py -H http://127.0.0.1:9 -u 1000 -r 100 -t 0.2s -w 1 --quiet"
    command = f"ulimit -n 256; exec {sys.executable} -m swell {words}"
    run = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    *notices, why = run.stderr.splitlines()
    assert "requests failed" in why or "invalid" in why
    assert notices == [
        (
            "swell: notice: 1,000 users at 100/s take 9.99 s to start, but the run ends after 0.2 s: "
            "raise --spawn-rate or --run-time to have them all"
        ),
        (
            "swell: notice: 1,000 users need 1,064 open files, but 256 are allowed; "
            "`ulimit -n 1064` as root before it, or more --workers, makes room"
        ),
    ]
    assert run.returncode != 2
