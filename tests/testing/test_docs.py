"""The examples in docs/testing.md run."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def examples() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)
    return {name: value for name, value in names.items() if name.startswith("test_")}


EXAMPLES = examples()


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    (tmp_path / "__main__.py").write_text("import pulumi; pulumi.export('zone', pulumi.Config().require('zone'))")
    return tmp_path


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_works(name: str, project_folder: Path) -> None:
    if name == "test_the_project":
        EXAMPLES[name](project_folder)
    else:
        EXAMPLES[name]()


def test_every_name_of_the_page_is_public() -> None:
    import edgelib.testing as harness  # noqa: PLC0415

    text = PAGE.read_text(encoding="utf-8")
    for name in re.findall(r"`(\w+Error|Recorded|UNKNOWN|deploy|wavelength_answers)`", text):
        assert name == "AssertionError" or name in harness.__all__
    fields = set(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE)[0].replace("`", "").split(", "))
    assert fields <= set(harness.Recorded.__dataclass_fields__)
