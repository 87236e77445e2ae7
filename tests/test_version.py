"""One version: the package's, which pyproject.toml reads and the changelog heads."""

import re
import tomllib
from pathlib import Path

import pytest

import l2t

ROOT = Path(__file__).resolve().parents[1]


def test_the_package_is_the_one_place_of_the_version():
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert content["project"]["dynamic"] == ["version"]
    assert "version" not in content["project"]
    assert content["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "l2t.__version__"}


def test_setuptools_finds_it_there():
    """As a build does: by reading the assignment, not by importing the package."""
    expand = pytest.importorskip("setuptools.config.expand")
    assert expand.read_attr("l2t.__version__", root_dir=ROOT) == l2t.__version__


def test_the_changelog_heads_with_it():
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert versions[0] == l2t.__version__
