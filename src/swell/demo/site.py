"""The contest's pages. Each route answers people with HTML and programs, which send JSON, with JSON."""

from __future__ import annotations

import dataclasses
import secrets

from flask import Flask, Response, abort, g, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from swell.demo.database import ContestDatabase

BODY_LIMIT_BYTES = 256 * 1024
LARGEST_ID = 2**63 - 1
"""SQLite's largest integer: a larger number in a path is a page that does not exist, not an error of the database."""


def create_site(database: ContestDatabase) -> Flask:
    """The site as a WSGI application on that database."""
    site = Flask(__name__)
    site.config.update(SECRET_KEY=secrets.token_bytes(32), MAX_CONTENT_LENGTH=BODY_LIMIT_BYTES)
    _add_pages(site, database)
    _add_login(site, database)
    _add_submissions(site, database)
    site.register_error_handler(404, lambda _: (render_template("not_found.html"), 404))
    return site


def _add_pages(site: Flask, database: ContestDatabase) -> None:
    @site.get("/")
    def home() -> str:
        return render_template("home.html", standings=database.standings(5))

    @site.get("/problems")
    def problems() -> str:
        return render_template("problems.html", problems=database.problems())

    @site.get(f"/problems/<int(max={LARGEST_ID}):problem_id>")
    def problem(problem_id: int) -> str:
        return render_template("problem.html", problem=database.problem(problem_id) or abort(404))

    @site.get("/leaderboard")
    def leaderboard() -> str:
        return render_template("leaderboard.html", standings=database.standings())

    @site.get("/leaderboard.json")
    def leaderboard_json() -> Response:
        return jsonify(standings=[dataclasses.asdict(standing) for standing in database.standings()])

    @site.get("/health")
    def health() -> Response:
        return jsonify(status="ok" if database.is_healthy() else "failing")


def _add_login(site: Flask, database: ContestDatabase) -> None:
    @site.get("/login")
    def login_form() -> str:
        return render_template("login.html")

    @site.post("/login")
    def login() -> ResponseReturnValue:
        team = _field("user", longest=40).strip()
        if not team:
            return _refusal("give your team's name as user", 400)
        session["team_id"], session["team"] = database.team_id(team), team
        return jsonify(team=team) if request.is_json else redirect(url_for("problems"), 303)

    @site.post("/logout")
    def logout() -> ResponseReturnValue:
        session.clear()
        return redirect(url_for("home"), 303)


def _add_submissions(site: Flask, database: ContestDatabase) -> None:
    @site.post("/submit")
    def submit() -> ResponseReturnValue:
        if "team_id" not in session:
            return _refusal("log in first", 401)
        code = _field("code", longest=BODY_LIMIT_BYTES)
        problem = database.problem(_problem_id())
        if not code or problem is None:
            return _refusal("send code, and the number of a problem", 400)
        submission_id, status = database.submit(session["team_id"], problem.id, code)
        if request.is_json:
            return jsonify(id=submission_id, status=status)
        return redirect(url_for("submission", submission_id=submission_id), 303)

    @site.get(f"/submissions/<int(max={LARGEST_ID}):submission_id>")
    def submission(submission_id: int) -> str:
        found = database.submission(submission_id) or abort(404)
        return render_template("submission.html", submission=found, problem=database.problem(found.problem_id))


def _sent() -> dict[str, object]:
    """The fields that the visitor sent, as JSON or as a form."""
    if "sent" not in g:
        body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
        g.sent = body if isinstance(body, dict) else {}
    fields: dict[str, object] = g.sent
    return fields


def _field(name: str, *, longest: int) -> str:
    """A text field; '' if it is missing, no text, or too long. Half a surrogate pair is valid JSON, but no text."""
    value = _sent().get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        return ""
    return value.encode("utf-8", "replace").decode()


def _problem_id() -> int:
    """The problem that a submission is for: the first one unless it says. 0, which no problem has, if it is no id."""
    value = str(_sent().get("problem", 1))
    return int(value) if value.isdecimal() and len(value) < len(str(LARGEST_ID)) else 0


def _refusal(reason: str, status: int) -> ResponseReturnValue:
    if request.is_json:
        return jsonify(error=reason), status
    return render_template("refused.html", reason=reason), status
