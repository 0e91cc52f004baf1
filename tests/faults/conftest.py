import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import shim  # noqa: E402


@pytest.fixture
def daemon(tmp_path):
    one = shim.FaultyDaemon(tmp_path)
    yield one
    one.shim.disarm()
    if one.process:
        one.kill()
