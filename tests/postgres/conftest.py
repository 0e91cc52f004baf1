import pathlib
import sys

import pytest

for of_others in ("faults", "e2e"):
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / of_others))

import engine as engines  # noqa: E402
import nodes as nodes_of  # noqa: E402


@pytest.fixture(scope="module")
def engine():
    """One for the tests of a file: each has a database of its own in it."""
    one = engines.Engine()
    try:
        yield one.make().start()
    finally:
        one.remove()


@pytest.fixture
def nodes(engine, tmp_path):
    """Two nodes on one database."""
    site = nodes_of.Site(engine, tmp_path)
    yield [site.node().start(), site.node().start()]
    site.end()


@pytest.fixture
def site(engine, tmp_path):
    """Nodes as many as a test makes."""
    one = nodes_of.Site(engine, tmp_path)
    yield one
    one.end()
