"""The short setting of each_allocation.py: every scenario once, starts in strides."""
import os

import pytest

import each_allocation
import raw
import scenarios

START_STRIDE = 97  # a prime, so that strides do not walk in step with what is asked for


@pytest.fixture(name="run", scope="module")
def fixture_run(tmp_path_factory):
    one = each_allocation.Run(tmp_path_factory.mktemp("memory"))
    yield one
    if one.daemon.process and not one.daemon.has_ended():
        one.daemon.kill()


@pytest.mark.parametrize("scenario", scenarios.ALL, ids=lambda scenario: scenario.name)
def test_an_allocation_that_fails_is_answered_and_changes_nothing(run, scenario):
    assert run.each(scenario, for_ever=False) > 0


@pytest.mark.parametrize("scenario", scenarios.ALL[:14], ids=lambda scenario: scenario.name)
def test_allocations_that_all_fail_are_answered_and_change_nothing(run, scenario):
    assert run.each(scenario, for_ever=True) > 0


def test_what_was_said_while_memory_was_short_is_in_the_ledger(run):
    run.check_ledger()


@pytest.mark.skipif(os.environ["TALLYD_CAIRO"] != "1", reason="PNG is not built in")
def test_a_picture_for_which_there_is_no_room_is_not_begun(run):
    """GLib would end the process; what it asks for in small pieces nothing can save."""
    run.daemon.memory.arm(1, for_ever=True, bytes_min=1 << 20)
    asked = raw.closing("GET", "/v1/polls/r/chart.png")
    assert raw.ask(run.daemon.tcp, asked).status == 503
    run.daemon.memory.disarm()
    assert run.daemon.memory.failed == 1
    assert raw.ask(run.daemon.tcp, asked).status == 200


def test_a_reload_without_memory_is_done_or_refused_or_ends_with_a_sentence(tmp_path):
    assert each_allocation.each_of_a_reload(tmp_path).cycles > 50


def test_a_start_without_memory_ends_with_a_sentence(tmp_path):
    assert each_allocation.each_of_a_start(tmp_path, step=START_STRIDE).cycles > 10
