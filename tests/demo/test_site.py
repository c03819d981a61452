"""The contest's pages, asked without a server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from swell.demo.contest import PROBLEMS
from swell.demo.database import ContestDatabase
from swell.demo.site import BODY_LIMIT_BYTES, create_site


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[FlaskClient]:
    with contextlib.closing(ContestDatabase(tmp_path / "contest.sqlite")) as database:
        yield create_site(database).test_client()


@pytest.fixture
def contestant(visitor: FlaskClient) -> FlaskClient:
    visitor.post("/login", json={"user": "Testers", "password": ""})
    return visitor


PAGES = {
    "/": "Twelve problems, one evening",
    "/login": "Log in",
    "/problems": PROBLEMS[-1].title,
    "/problems/1": PROBLEMS[0].statement,
    "/leaderboard": "Solved",
    "/submissions/1": "Submission 1",
}


@pytest.mark.parametrize(("path", "text"), PAGES.items())
def test_pages_show_what_they_are_about(visitor: FlaskClient, path: str, text: str) -> None:
    response = visitor.get(path)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert text in response.text


@pytest.mark.parametrize("path", ["/problems/13", "/submissions/999999", "/problems/" + "9" * 30, "/nowhere"])
def test_what_does_not_exist_is_not_found(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_every_part_of_a_page_is_there(visitor: FlaskClient) -> None:
    parts = ("/static/contest.css", "/static/contest.js", "/static/logo.svg", "/leaderboard.json", "/health")
    for part in parts:
        with visitor.get(part) as response:
            assert response.status_code == 200


def test_health_is_a_short_json(visitor: FlaskClient) -> None:
    assert visitor.get("/health").json == {"status": "ok"}


def test_the_leaderboard_is_there_for_programs_too(visitor: FlaskClient) -> None:
    leader = visitor.get("/leaderboard.json").json["standings"][0]
    assert leader["rank"] == 1
    assert leader["team"] in visitor.get("/leaderboard").text


def test_a_program_logs_in_with_json_and_gets_a_cookie(visitor: FlaskClient) -> None:
    response = visitor.post("/login", json={"user": "Testers", "password": ""})
    assert response.json == {"team": "Testers"}
    assert response.headers["Set-Cookie"].startswith("session=")


def test_a_person_logs_in_with_a_form_and_is_sent_to_the_problems(visitor: FlaskClient) -> None:
    response = visitor.post("/login", data={"user": "Testers"})
    assert (response.status_code, response.headers["Location"]) == (303, "/problems")
    assert "Log out Testers" in visitor.get("/").text


def test_logging_out_ends_the_session(contestant: FlaskClient) -> None:
    contestant.post("/logout")
    assert contestant.post("/submit", json={"code": "print(1)"}).status_code == 401


def test_a_submission_is_judged(contestant: FlaskClient) -> None:
    right = contestant.post("/submit", json={"code": "print(1)", "problem": 2}).json
    wrong = contestant.post("/submit", json={"code": "pass"}).json
    assert (right["status"], wrong) == ("accepted", {"id": right["id"] + 1, "status": "rejected"})
    assert PROBLEMS[1].title in contestant.get(f"/submissions/{right['id']}").text


def test_a_form_leads_to_the_submissions_page(contestant: FlaskClient) -> None:
    response = contestant.post("/submit", data={"code": "print('<b>')", "problem": "3"}, follow_redirects=True)
    assert response.request.path.startswith("/submissions/")
    assert "print(&#39;&lt;b&gt;&#39;)" in response.text


def test_who_is_not_logged_in_cannot_submit(visitor: FlaskClient) -> None:
    response = visitor.post("/submit", json={"code": "print(1)"})
    assert (response.status_code, response.json) == (401, {"error": "log in first"})
    assert visitor.post("/submit", data={"code": "print(1)"}).status_code == 401


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"code": ""},
        {"code": 1},
        {"code": "print(1)", "problem": 0},
        {"code": "print(1)", "problem": "x"},
        {"code": "print(1)", "problem": -1},
        {"code": "print(1)", "problem": 10**40},
        {"code": "print(1)", "problem": None},
        [],
        "text",
    ],
)
def test_a_senseless_submission_is_refused(contestant: FlaskClient, sent: object) -> None:
    assert contestant.post("/submit", json=sent).status_code == 400


@pytest.mark.parametrize("user", ["", "   ", None, 7, "x" * 41])
def test_a_login_needs_a_name_of_reasonable_length(visitor: FlaskClient, user: object) -> None:
    assert visitor.post("/login", json={"user": user}).status_code == 400


def test_broken_json_and_half_characters_do_no_harm(contestant: FlaskClient) -> None:
    assert contestant.post("/submit", data=b"{", content_type="application/json").status_code == 400
    half = b'{"code": "print(1) \\ud800", "user": "\\ud800"}'
    assert contestant.post("/submit", data=half, content_type="application/json").status_code == 200
    assert contestant.post("/login", data=half, content_type="application/json").status_code == 200


def test_a_body_beyond_the_limit_is_refused(contestant: FlaskClient) -> None:
    assert contestant.post("/submit", json={"code": "x" * BODY_LIMIT_BYTES}).status_code in {400, 413}
