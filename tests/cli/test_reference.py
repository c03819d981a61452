"""The reference page says what the declarations say."""

from pathlib import Path

from swell.cli.reference import page

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "options.md"


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m swell.cli.reference > docs/reference/options.md"
