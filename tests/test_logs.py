"""The log: lines of JSON or text, the job they belong to, nobody's own lines in it."""

import contextvars
import io
import json
import logging
import multiprocessing
import subprocess
import sys
import threading
import traceback

import pytest

from l2t import logs
from l2t.child import own_environment


@pytest.fixture
def written(monkeypatch):
    """Text that was logged since `configure(...)` was called: `written(kind, level)()`."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()

    def begin(*arguments):
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure(*arguments)
        return lambda: [line for line in stream.getvalue().split("\n") if line]

    yield begin
    root.handlers[:], root.level = handlers, level


def parsed(lines: list[str]) -> list[dict]:
    return [json.loads(line) for line in lines]


def test_a_line_of_json_holds_time_level_logger_and_message(written):
    lines = written("json", "info")
    logging.getLogger("l2t.part").info("made %d of %s", 3, "ä")
    (line,) = parsed(lines())
    assert line["time"].endswith("Z")
    assert len(line["time"]) == len("2026-01-01T00:00:00.000Z")
    del line["time"]
    assert line == {"level": "info", "logger": "l2t.part", "message": "made 3 of ä"}


def test_lines_within_a_job_name_it_in_threads_with_its_context_too(written):
    lines = written("json", "info")
    log = logging.getLogger("l2t")
    with logs.job_context("abc"):
        log.info("inside")
        context = contextvars.copy_context()
        for target in (lambda: context.run(log.info, "its thread"), lambda: log.info("another")):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        with logs.job_context("inner"):
            log.info("nested")
        log.info("again")
    log.info("outside")
    assert [(line["message"], line.get("job")) for line in parsed(lines())] == [
        ("inside", "abc"), ("its thread", "abc"), ("another", None), ("nested", "inner"),
        ("again", "abc"), ("outside", None),
    ]  # fmt: skip


def test_an_exception_is_one_field_of_one_line(written):
    lines = written("json", "info")
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger("l2t").exception("it failed")
    (line,) = parsed(lines())
    assert line["level"] == "error"
    assert line["exception"].startswith("Traceback")
    assert "ValueError: first\nsecond" in line["exception"]


@pytest.mark.parametrize("kind", logs.KINDS)
def test_nobody_writes_lines_of_his_own(written, kind):
    lines = written(kind, "info")
    forged = "a\n2026-01-01T00:00:00.000Z INFO l2t all is well\r\x1b[2J\u2028\u202ex"
    logging.getLogger("l2t").info("refused: %s", forged)
    assert len(lines()) == 1
    if kind == "text":
        assert lines()[0].isprintable()
    else:
        assert json.loads(lines()[0])["message"].endswith(forged)


def test_text_has_the_job_in_brackets_and_the_traceback_below(written):
    lines = written("text", "warning")
    with logs.job_context("abc"):
        logging.getLogger("l2t").info("too quiet")
        try:
            raise ValueError("why")
        except ValueError:
            logging.getLogger("l2t").exception("it failed")
    head, *trace = lines()
    assert head.endswith(" ERROR l2t [abc] it failed")
    assert trace[0].startswith("Traceback")
    assert trace[-1] == "ValueError: why"


def test_what_libraries_print_becomes_lines_of_json(written):
    lines = written("json", "info")
    print("half", end="", file=sys.stderr)
    print(" and whole", file=sys.stderr)
    try:
        raise ValueError("printed")
    except ValueError:
        traceback.print_exc()
    found = parsed(lines())
    assert {line["logger"] for line in found} == {"stderr"}
    assert found[0]["message"] == "half and whole"
    assert found[-1]["message"] == "ValueError: printed"


def test_a_log_that_cannot_be_written_does_not_take_the_program_along(written):
    written("json", "info")

    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError("no space left")

    handler = logging.getLogger().handlers[0]
    sys.stderr.stream = handler.stream = Full()
    print("x", file=sys.stderr)  # the two do not call each other without end
    logging.getLogger("l2t").error("y")


@pytest.mark.parametrize(
    ("environ", "level", "kind"),
    [({}, logging.INFO, logs.TextLines), ({"L2T_LOG": "json"}, logging.INFO, logs.JsonLines),
     ({"L2T_LOG": "xml", "L2T_LOG_LEVEL": "loud"}, logging.INFO, logs.TextLines),
     ({"L2T_LOG_LEVEL": "warning"}, logging.WARNING, logs.TextLines)],
)  # fmt: skip
def test_a_child_process_logs_as_its_environment_says(written, monkeypatch, environ, level, kind):
    for name in ("L2T_LOG", "L2T_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    written()
    assert logging.getLogger().level == level
    assert isinstance(logging.getLogger().handlers[0].formatter, kind)


def test_wrong_kinds_are_refused_and_configuring_again_logs_once(written):
    with pytest.raises(ValueError, match="xml"):
        logs.configure("xml")
    lines = written("json", "info")
    logs.configure("json", "info")
    logging.getLogger("l2t").info("once")
    print("printed", file=sys.stderr)
    assert [line["message"] for line in parsed(lines())] == ["once", "printed"]


def test_requests_of_our_own_client_are_not_logged(written):
    lines = written("json", "info")
    logging.getLogger("httpx").info("GET http://127.0.0.1/file=/a/visitors/voice.wav")
    assert lines() == []


def test_loggers_with_handlers_of_their_own_can_be_brought_in(written):
    lines = written("json", "info")
    own = logging.getLogger("some.server")
    own.addHandler(logging.StreamHandler(io.StringIO()))
    own.propagate = False
    logs.adopt("some.server")
    own.warning("hello")
    assert [line["message"] for line in parsed(lines())] == ["hello"]


def test_a_whole_program_logs_nothing_but_json():
    code = (
        "import logging, sys, warnings; from l2t.logs import configure; configure('json', 'info');"
        "logging.getLogger('a').info('one'); print('two', file=sys.stderr);"
        "warnings.warn('three'); raise SystemExit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, text=True)
    assert all(json.loads(line)["message"] for line in done.stderr.splitlines())
    assert {"one", "two"} <= {json.loads(line)["message"] for line in done.stderr.splitlines()}


def test_the_drawing_process_logs_json_too_and_its_end_is_one_line(monkeypatch):
    monkeypatch.setenv("L2T_LOG", "json")
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        ours.send(5)  # no template of a head: nobody foresaw that
        done = subprocess.run(
            [sys.executable, "-m", "l2t.render.worker", str(theirs.fileno()), "software"],
            pass_fds=[theirs.fileno()], env=own_environment(), capture_output=True, timeout=120,
            text=True, check=False,
        )  # fmt: skip
    *_, last = parsed(done.stderr.splitlines())  # each is an object
    assert (last["level"], last["logger"]) == ("error", "l2t.render.worker")
    assert last["exception"].startswith("Traceback")
    assert done.returncode == 1
