import pytest

import harness


@pytest.fixture
def daemon(tmp_path):
    one = harness.Daemon(tmp_path).start()
    yield one
    one.end()
