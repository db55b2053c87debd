"""The house keeps its own rules: sizes, names, headers. A rule that nothing checks is a wish."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "accounts", "usage", "billing", "collections_", "insights", "monitoring", "vault")
DUMPING_GROUNDS = {"utils", "helpers", "misc", "services", "common", "util", "helper"}


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts]


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def statements() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).glob("sql/*.sql"))]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources(), ids=named)
class TestModules:
    def test_says_why_it_exists(self, path: Path) -> None:
        text = path.read_text()
        assert not text.strip() or ast.get_docstring(ast.parse(text)), "a module begins with a docstring"

    def test_is_a_room_and_not_a_hall(self, path: Path) -> None:
        limit = 400 if "models" in path.parts or path.name == "settings.py" else 300
        assert len(path.read_text().splitlines()) <= limit

    def test_is_not_a_dumping_ground(self, path: Path) -> None:
        assert path.stem not in DUMPING_GROUNDS

    def test_has_no_long_functions(self, path: Path) -> None:
        functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
        long = {
            f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno and f.end_lineno - f.lineno >= 50
        }
        assert long == {}

    def test_receives_no_signals(self, path: Path) -> None:
        assert not re.search(r"@receiver\(|\.connect\(.*sender", path.read_text())


@pytest.mark.parametrize("path", statements(), ids=named)
def test_set_based_sql_states_its_contract(path: Path) -> None:
    header = [line for line in path.read_text().splitlines() if line.startswith("--")]
    text = " ".join(header)
    assert "Parameters" in text and ("Reads" in text or "Writes" in text or "reads" in text or "writes" in text)


def test_the_page_of_invariants_names_every_query() -> None:
    written = (ROOT / "docs" / "invariants.md").read_text()
    queries = {path.stem for room in ROOMS for path in (ROOT / room).glob("invariants/*.sql")}
    assert {name for name in queries if f"`{name}`" not in written} == set()


@pytest.mark.parametrize("path", templates(), ids=named)
class TestTemplates:
    def test_is_short(self, path: Path) -> None:
        assert len(path.read_text().splitlines()) <= 120

    def test_keeps_the_content_security_policy(self, path: Path) -> None:
        text = path.read_text()
        if "documents" in path.parts:  # print styles are inlined by the renderer, never served
            return
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)
        assert not re.search(r"(?:src|href)=[\"']https?://", text)

    def test_escapes_everything(self, path: Path) -> None:
        assert not re.search(r"\|safe\b|autoescape off", path.read_text())
