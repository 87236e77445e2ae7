"""Settings: flags over environment over defaults, ranges, refusals, and the README's table."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from l2t.settings import ENVIRONMENT, Options, parse, settings, table

README = Path(__file__).resolve().parents[1] / "README.md"
ROWS = list(settings())


def refusal(capsys, arguments=(), environ=None) -> str:
    """What the command says when it ends with status 2."""
    with pytest.raises(SystemExit) as end:
        parse(list(arguments), environ or {})
    assert end.value.code == 2
    return capsys.readouterr().err


def test_without_flags_and_environment_every_setting_has_its_default():
    assert parse([], {}) == Options()


def test_a_flag_wins_over_the_environment_and_an_empty_variable_is_unset():
    environ = {"L2T_WAITING": "9", "L2T_DEADLINE": " 20.5 ", "L2T_LOG": ""}
    options = parse(["--waiting", "7"], environ)
    assert (options.waiting, options.deadline, options.log) == (7, 20.5, "text")


@pytest.mark.parametrize(("name", "flag", "setting", "_default"), ROWS, ids=[r[1] for r in ROWS])
def test_every_setting_can_be_given_either_way(name, flag, setting, _default):
    if setting.choices:
        text = setting.choices[-1]
    else:  # the largest: disk quota and age of files must stay the larger ones
        text = "a name" if setting.high is None else str(setting.high)
    room = {"L2T_QUOTA_MB": "1000000", "L2T_KEEP_SECONDS": "86400"}
    by_flag, by_variable = parse([flag, text], room), parse([], room | {setting.env: text})
    assert by_flag == by_variable
    assert getattr(by_flag, name) == setting.kind(text)
    assert setting.env.startswith(("L2T_", "GRADIO_SERVER_"))


NUMBERS = [row for row in ROWS if row[2].low is not None]


@pytest.mark.parametrize(("_name", "flag", "setting", "_default"), NUMBERS)
def test_a_number_out_of_range_or_none_is_refused_in_one_sentence(
    capsys, _name, flag, setting, _default
):
    beyond = [str(setting.high + 1), str(setting.low - 1), "nan", "inf", "many", "0x10", "-0.5"]
    for text in beyond:
        told = refusal(capsys, [f"{flag}={text}"])
        assert f"{flag} must be a" in told
        assert f"from {setting.span}, found {text!r}." in told
        assert told.count("\n") == 1


def test_a_wrong_variable_is_named_in_the_refusal(capsys):
    assert "L2T_LOG must be one of text, json, found 'xml'." in refusal(
        capsys, environ={"L2T_LOG": "xml"}
    )
    assert "L2T_WEIGHTS must be a printable text" in refusal(
        capsys, environ={"L2T_WEIGHTS": "a\0b"}
    )


def test_a_disk_quota_smaller_than_one_upload_is_refused(capsys):
    told = refusal(capsys, ["--quota-mb", "50"])
    assert "must hold the largest file accepted, 100 MB, found 50 MB" in told


def test_files_that_would_go_before_their_job_is_done_are_refused(capsys):
    told = refusal(capsys, ["--keep-seconds", "120", "--deadline", "61"])
    assert "longer than a job may take, 121 s at least, found 120 s." in told
    assert told.count("\n") == 1
    assert parse(["--keep-seconds", "120", "--deadline", "60"], {}).keep_seconds == 120


def test_the_worker_has_no_less_memory_than_its_models_take_when_idle(capsys):
    """1,370 MB with torch's CUDA build, the drawing process included; then comes the work."""
    told = refusal(capsys, ["--worker-memory-mb", "1999"])
    assert "a whole number from 2,000 to 1,000,000, found '1999'" in told


def test_an_unknown_or_shortened_flag_is_refused_in_one_line(capsys):
    assert refusal(capsys, ["--wait", "3"]).count("\n") == 1


def test_options_cannot_be_changed_and_count_in_bytes():
    options = Options(max_mb=3, quota_mb=10, worker_memory_mb=2500)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.waiting = 1
    counted = (options.max_bytes, options.quota_bytes, options.worker_memory_bytes)
    assert counted == (3_000_000, 10_000_000, 2_500_000_000)


def test_reading_the_settings_imports_neither_torch_nor_gradio():
    code = (
        "import sys, l2t.settings as s; s.parse([], {});"
        "assert not {'torch', 'gradio', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=README.parent, timeout=60)


def test_help_names_every_flag_with_its_variable(capsys):
    with pytest.raises(SystemExit) as end:
        parse(["--help"], {})
    assert end.value.code == 0
    shown = capsys.readouterr().out
    for _, flag, setting, _default in ROWS:
        assert flag in shown
        assert setting.env in shown


def test_the_readme_holds_the_table_of_settings():
    """`python -m l2t.settings` prints what it must hold."""
    written = README.read_text()
    missing = [line for line in table().splitlines() if line not in written]
    assert missing == []


def test_every_variable_that_the_package_reads_is_in_the_table():
    """Names of the project's own variables as they stand in its source."""
    documented = {setting.env for _, _, setting, _ in ROWS}
    documented |= {name for names, *_ in ENVIRONMENT for name in names.split(", ")}
    read = set()
    for source in [README.parent / "app.py", *(README.parent / "l2t").rglob("*.py")]:
        read |= set(re.findall(r"""["'](L2T_[A-Z_]+)["']""", source.read_text()))
    assert read <= documented
