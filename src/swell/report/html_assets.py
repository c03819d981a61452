"""The page's script and style, built from `ui/` into `static/`: they come with an installed swell, and `make ui` builds
them in a checkout."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from pathlib import Path

from swell.errors import Problem, RunFailed

STATIC = Path(__file__).parent / "static"
SCRIPT, STYLE = "report.js", "report.css"


@dataclasses.dataclass(frozen=True, slots=True)
class Assets:
    """What is embedded in a page."""

    script: str
    style: str

    @property
    def policy(self) -> str:
        """The page's content security policy: this script and this style, and nothing from anywhere."""
        return (
            f"default-src 'none'; script-src '{_digest(self.script)}'; style-src '{_digest(self.style)}'; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        )


def asset_problems(option: str, folder: Path = STATIC) -> list[Problem]:
    """Why no page can be made."""
    missing = [name for name in (SCRIPT, STYLE) if not (folder / name).is_file()]
    if not missing:
        return []
    what = f"{' and '.join(missing)} of the page {'has' if len(missing) == 1 else 'have'} not been built"
    return [Problem(what, option, "`make ui` in the checkout of swell builds them")]


def read_assets(folder: Path = STATIC) -> Assets:
    """The script and the style. Raises RunFailed where they are missing."""
    try:
        return Assets(*((folder / name).read_text(encoding="utf-8") for name in (SCRIPT, STYLE)))
    except OSError as exc:
        problem = next(iter(asset_problems("", folder)), None)
        raise RunFailed(str(problem or f"the page's parts cannot be read: {exc.strerror or exc}")) from exc


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
