"""No library older than the fixes of its security reports, which floors.json lists."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
FLOORS = json.loads(Path(__file__).with_name("floors.json").read_text(encoding="utf-8"))
LINES = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
BARE = [line.split("#")[0].strip() for line in LINES]
REQUIREMENTS = [Requirement(line) for line in BARE if line]


def bounds(requirement: Requirement, *operators: str) -> list[Version]:
    return [Version(one.version) for one in requirement.specifier if one.operator in operators]


@pytest.mark.parametrize("entry", FLOORS, ids=lambda entry: entry["package"])
def test_the_installed_version_meets_its_floor(entry):
    assert Version(version(entry["package"])) >= Version(entry["floor"]), entry["why"]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda one: one.name)
def test_a_requirement_accepts_nothing_below_the_floor(requirement):
    lower = bounds(requirement, ">=", "==", "~=")
    assert lower, f"{requirement} has no lower bound"
    for entry in FLOORS:
        if entry["package"] == canonicalize_name(requirement.name):
            assert max(lower) >= Version(entry["floor"]), entry["why"]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda one: one.name)
def test_a_requirement_accepts_no_major_version_to_come(requirement):
    """A Space is built anew at any time; PyAV 19 once made every recording "damaged" there."""
    upper = bounds(requirement, "<", "<=")
    assert upper, f"{requirement} has no upper bound"


def test_torch_is_no_newer_than_the_version_tried():
    torch = next(one for one in REQUIREMENTS if one.name == "torch")
    assert bounds(torch, "<=") == [Version("2.13.0")]


def test_the_list_covers_the_libraries_that_strangers_reach():
    """The server, the parser of uploads, the loaders of models: none of these may leave it."""
    reached = {"gradio", "starlette", "python-multipart", "transformers", "torch", "pillow", "av"}
    assert reached <= {entry["package"] for entry in FLOORS}


def test_the_entries_are_complete_and_unique():
    for entry in FLOORS:
        assert entry.keys() == {"package", "floor", "why", "source"}
        assert all(isinstance(text, str) and text.strip() for text in entry.values()), entry
        assert entry["package"] == canonicalize_name(entry["package"])
    names = [entry["package"] for entry in FLOORS]
    assert len(names) == len(set(names))
