"""What comes after a response: a redirect's next hop, or the answer to a digest challenge."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from swell.http.challenge import parse_challenges
from swell.http.headers import RequestHeaders, encode_fields
from swell.http.options import CallOptions
from swell.http.redirect import RedirectError, keeps_credentials, next_request
from swell.http.response import Response
from swell.http.target import Target
from swell.http.url import InvalidUrl

Step = tuple[Target, CallOptions]


def follow_redirect(response: Response, target: Target, options: CallOptions, fields: Mapping[str, str]) -> Step | None:
    """The next hop of a call whose last request had `fields`. None, with `response.error` set, if it cannot be made."""
    location = response.headers.get("location", "")
    try:
        following = next_request(response.status_code, target.method, target.url, location, fields, options.replayable)
    except InvalidUrl as error:
        response.error = f"redirect: invalid Location: {error}"
        return None
    except RedirectError as error:
        response.error = str(error)
        return None
    headers = RequestHeaders(following.headers)
    changes = dataclasses.replace(
        options, fields=headers, block=encode_fields(headers.items()), own_host="Host" in headers
    )
    if not following.keeps_body:
        changes = dataclasses.replace(
            changes, body=b"", upload=None, expects_continue=False, is_simple=not options.stream
        )
    if not keeps_credentials(target.origin, following.url.origin):
        changes = dataclasses.replace(changes, cookies=None, auth=None)
    return Target(following.method, following.url), changes


def takes_challenge(response: Response, options: CallOptions, answered: bool) -> bool:
    """Whether the request is to be sent again with an answer to the digest challenge in this 401."""
    if not options.replayable:
        return False
    challenges = parse_challenges(response.headers.get_all("www-authenticate"))
    return bool(options.auth.take(challenges, answered))
