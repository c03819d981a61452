"""`secret("NAME")`: what a script needs and nobody may see, such as a token, from where the script runs.

It is looked for in the environment variable NAME; in the file that the variable NAME_FILE names; in /run/secrets/NAME,
where Docker and Kubernetes put it; and then among what the controller has sent over the link. So a machine's own value
comes before the controller's.

Values that have been found are known in this process, and hidden wherever a text leaves it: `hidden`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from swell.script.masking import VALUE_LENGTH_MIN, Mask

FOLDER = Path("/run/secrets")
FILE_BYTES_MAX = 64 << 10
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", re.ASCII)


class SecretMissing(Exception):
    """There is no secret of that name."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"needs the secret {name}, {why}")


class Secrets:
    """The secrets of this process."""

    def __init__(self) -> None:
        self._environment: Mapping[str, str] | None = None
        """None: nobody has said where to look."""
        self._folder = FOLDER
        self._sent: Mapping[str, str] = {}
        self._known: dict[str, str] = {}
        self.mask = Mask()

    def __repr__(self) -> str:
        return f"<Secrets {', '.join(self._known) or '(none)'}>"

    def look_in(self, environment: Mapping[str, str], folder: Path = FOLDER) -> None:
        """Look here from now on; what is known is forgotten."""
        self._environment, self._folder, self._sent = environment, folder, {}
        self._known.clear()
        self.mask = Mask()

    def receive(self, sent: Mapping[str, str]) -> None:
        """The controller has sent these. They are hidden too, whichever value is used here."""
        self._sent = dict(sent)
        self._update_mask()

    @property
    def known(self) -> dict[str, str]:
        """Those that have been asked for here."""
        return dict(self._known)

    def value(self, name: str) -> str:
        """The secret. Raises SecretMissing."""
        if name not in self._known:
            value = self._found(name)
            self._known[name] = value
            self._update_mask()
        return self._known[name]

    def notices(self) -> list[str]:
        """What whoever runs it should know."""
        short = sorted(name for name, value in self._known.items() if len(value.strip()) < VALUE_LENGTH_MIN)
        what = f"has fewer than {VALUE_LENGTH_MIN} characters, so it is not hidden in results and output"
        return [f"the secret {name} {what}" for name in short]

    def _found(self, name: str) -> str:
        variable = f"{name}_FILE"
        if self._environment is None:
            raise SecretMissing(name, "and only swell looks secrets up: run the script with `swell run`")
        if value := self._environment.get(name):
            return value
        if path := self._environment.get(variable):
            return _content(name, Path(path), f"but the file that {variable} names, {path},")
        file = self._folder / name
        if os.path.lexists(file):
            return _content(name, file, f"but {file}")
        if name in self._sent:
            return self._sent[name]
        where = f"the environment variables {name} and {variable}, and {file}"
        raise SecretMissing(name, f"which is not here: looked for in {where}")

    def _update_mask(self) -> None:
        self.mask = Mask([*self._known.values(), *self._sent.values()])


def _content(name: str, path: Path, what: str) -> str:
    """What a file holds, without the end of its last line."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise SecretMissing(name, f"{what} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretMissing(name, f"{what} is not text in UTF-8") from None
    if len(content) > FILE_BYTES_MAX:
        raise SecretMissing(name, f"{what} has more than {FILE_BYTES_MAX >> 10} KiB")
    if not text:
        raise SecretMissing(name, f"{what} is empty")
    return text


secrets = Secrets()


def secret(name: str, default: str | None = None) -> str:
    """The value of a secret: `token = secret("API_TOKEN")`; without one, `default`, or an error before the run begins.

    It comes from the environment variable of that name, from the file that NAME_FILE names, or from /run/secrets/NAME;
    on another machine, if it is not there, from the controller. swell hides it in all that it shows and writes.
    """
    given: object = name
    if not isinstance(given, str) or not NAME.fullmatch(given):
        raise ValueError(f"secret() takes a name of letters, digits, _, . and -, not {name!r}")
    try:
        return secrets.value(name)
    except SecretMissing:
        if default is None:
            raise
        return default


def hidden(text: str) -> str:
    """The text with the secrets of this process hidden."""
    return secrets.mask.of(text)
