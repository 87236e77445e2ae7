"""Property: whatever the bytes, the answer is a Speech or a sentence, soon and in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hostile.mutants import mutants

ROOT = Path(__file__).parents[2]
COUNT = 160


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    files = [str(path) for path in mutants(tmp_path_factory.mktemp("mutants"), COUNT)]
    done = subprocess.run(
        [sys.executable, "-m", "hostile.batch", *files],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_mutant_gives_a_speech_or_one_sentence(outcomes):
    assert len(outcomes) == COUNT
    for found in outcomes:
        if "sentence" in found:
            assert found["sentence"].endswith("."), found
            assert "\n" not in found["sentence"]
            assert "/" not in found["sentence"]
        else:
            assert 0.2 <= found["seconds"] <= 60


def test_none_takes_long_or_much_memory(outcomes):
    assert max(found["took"] for found in outcomes) < 6
    assert max(found["peak_mb"] for found in outcomes) < 400


def test_the_mutants_are_worth_testing(outcomes):
    refused = sum("sentence" in found for found in outcomes)
    assert COUNT * 0.1 < refused < COUNT * 0.9
