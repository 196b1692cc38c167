"""The floors are executed: a planted violation is caught, and no module outgrows its room."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "adapters", "gateway", "mock_agencies")
LINTER = Path(sys.executable).with_name("lint-imports")
MODULE_LINES, ADAPTER_LINES = 400, 150


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_the_floors_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("schemas/codes.py", "import adapters.kit"),
        ("adapters/kit/budget.py", "import gateway.errors"),
        ("adapters/real_estate.py", "import adapters.civil_affairs"),
        ("gateway/store/engine.py", "import gateway.vault"),
        ("gateway/member.py", "import gateway.store"),
        ("gateway/pipeline.py", "import gateway.app"),
        ("mock_agencies/world.py", "import schemas"),
        ("gateway/cli/demo.py", "import mock_agencies"),
    ],
)
def test_a_planted_violation_is_caught(copy: Path, module: str, line: str) -> None:
    path = copy / module
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")
    assert lint(copy).returncode != 0


def test_modules_stay_small() -> None:
    sizes = {
        p.relative_to(ROOT): len(p.read_text("utf-8").splitlines()) for n in PACKAGES for p in (ROOT / n).rglob("*.py")
    }
    too_long = {str(p): n for p, n in sizes.items() if n > MODULE_LINES and "migrations" not in p.parts}
    adapters = {str(p): n for p, n in sizes.items() if p.parent == Path("adapters") and n > ADAPTER_LINES}
    assert too_long == {}
    assert adapters == {}
