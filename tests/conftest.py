"""Fixtures that several rooms of the tests share; also puts this folder on the import path."""

import pytest


@pytest.fixture(scope="session")
def served():
    """The page with test doubles behind it, one for the whole session."""
    from served import serve

    return serve()


@pytest.fixture(scope="session")
def voice(tmp_path_factory):
    """A wav of two seconds whose last half second is silent."""
    from served import write_voice

    return write_voice(tmp_path_factory.mktemp("voices") / "voice.wav")
