"""The guided search: a short run, in which nothing may be found, and that it does find things."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile.honest import ENVIRONMENT, honest
from hostile.layouts import layout
from hostile.mutants import mend

COUNT = 250


def python(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def reports():
    return json.loads(python("-m", "hostile.guided", "--count", str(COUNT), "--seconds", "300"))


def test_a_short_search_finds_nothing(reports):
    assert [report["target"] for report in reports] == ["recordings", "films"]
    for report in reports:
        assert report["executions"] == COUNT
        assert report["died"] == report["late"] == report["odd"] == []
        assert report["peak_mb"] < 200


def test_it_is_guided_and_gets_about(reports):
    for report in reports:
        assert report["kept"] > 20
        assert report["takes"] > 20
        assert len(report["outcomes"]) > 5
        assert len(report["missing"]) < 0.2 * report["lines"]


PLANTED = """
import json, os, sys, tempfile
from pathlib import Path
from hostile import batch, guided
from l2t import mouth_child, probe
facts, opened = probe.check_facts, mouth_child.open_container
def check_facts(rate, channels, limits):
    if channels > 8: raise RuntimeError
    if rate > 192_000: os.kill(os.getpid(), 11)
    facts(rate, channels, limits)
def open_container(*what):
    container = opened(*what)
    while not container.streams.video: pass
    return container
probe.check_facts, mouth_child.open_container, batch.SECONDS = check_facts, open_container, 0.3
batch.fork_from_here()
for target in ("recordings", "films"):
    folder = Path(tempfile.mkdtemp(dir=sys.argv[1]))
    report = guided.guide(target, 300, int(sys.argv[2]), 0, folder)
    print(json.dumps(report.__dict__))
"""


def test_a_crash_and_a_hang_are_found(tmp_path):
    recordings, films = map(json.loads, python("-c", PLANTED, str(tmp_path), "400").splitlines())
    died = {line.split()[0] for line in recordings["died"]}
    assert died
    assert died <= {"-11", "1"}
    assert films["late"]
    assert all(path.startswith(str(tmp_path)) for path in films["late"])


@pytest.mark.parametrize("target", ["recordings", "films"])
def test_every_format_is_known_from_within(target, tmp_path):
    for path in honest(target, tmp_path, 0.3):
        data = path.read_bytes()
        found = layout(data)
        assert len(found.parts) > 2, path.name
        assert len(found.fields) > 8, path.name
        assert all(0 <= start < end <= len(data) for start, end in found.parts)
        mended = bytearray(data)
        mend(mended)
        assert mended == data, path.name


MAGICS = (b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"\x1aE\xdf\xa3", b"ID3", b"\xff\xfb",
          b"\0\0\0\1ftyp")  # fmt: skip


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.sampled_from(MAGICS), st.binary(max_size=60))
def test_a_layout_is_found_in_anything(magic, rest):
    data = magic + rest
    found = layout(data)
    assert all(0 <= start <= end <= len(data) for start, end in found.parts)
