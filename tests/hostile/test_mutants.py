"""Property: whatever the bytes, the answer is a take or a sentence, soon and in little memory."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from hostile.guided import plain
from hostile.honest import ENVIRONMENT, honest
from hostile.mutants import mutants

COUNTS = {"recordings": 800, "films": 200}
LENGTHS = {"recordings": (0.2, 60), "films": (0.04, 10.1)}  # seconds


@pytest.fixture(scope="module", params=COUNTS)
def corpus(request, tmp_path_factory):
    """(recordings or films, what became of each of their mutants)."""
    folder = tmp_path_factory.mktemp(request.param)
    files = mutants(folder, honest(request.param, folder, 0.6), COUNTS[request.param])
    done = subprocess.run(
        [sys.executable, "-m", "hostile.batch", request.param, *map(str, files)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return request.param, [json.loads(line) for line in done.stdout.splitlines()]


def test_each_mutant_gives_a_take_or_one_sentence(corpus):
    target, outcomes = corpus
    assert len(outcomes) == COUNTS[target]
    for found in outcomes:
        if "sentence" in found:
            assert plain(found["sentence"]), found
            assert "/" not in found["sentence"]
        else:
            low, high = LENGTHS[target]
            assert low <= found["seconds"] <= high


def test_none_hangs_or_breaks_its_child(corpus):
    _, outcomes = corpus
    assert not [found for found in outcomes if found.get("died")]
    assert not [found for found in outcomes if "decoded within" in found.get("sentence", "")]


def test_none_takes_much_memory_or_work(corpus):
    assert max(found.get("peak_mb", 0) for found in corpus[1]) < 200
    assert max(found.get("cpu", 0) for found in corpus[1]) < 3


def test_the_mutants_are_worth_testing(corpus):
    target, outcomes = corpus
    says = Counter(found.get("sentence", "a take") for found in outcomes)
    assert 0.3 < says["a take"] / COUNTS[target] < 0.7
    assert len(says) >= 8
