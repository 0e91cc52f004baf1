"""A start whose engine stops answering on the way ends, and says which engine that was."""
import concurrent.futures
import contextlib
import os
import select
import signal
import socket
import subprocess

import pytest

import engine as engines
import harness
import nodes as nodes_of
import pooler as poolers


def run(*args):
    """Exit status, and the lines of stderr."""
    done = subprocess.run([harness.TALLYD, *map(str, args)], capture_output=True, text=True,
                          env=dict(os.environ, STATE_DIRECTORY="/nowhere"),
                          timeout=harness.START_S, check=False)
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize("url", ["a:secret:c@x:y:z/?foo=1", "u@h/t?nosuchoption=1", "u@h:0/t",
                                 "u@h:notaport/t", "u:a@b:secret@h/t", "u@h:5432,i:65536/t"])
def test_a_url_that_no_start_could_use_is_a_mistake_in_file_and_options(tmp_path, url):
    """Exit 6 and 2; what could be a password is not told."""
    url = "postgresql://" + url
    path = tmp_path / "tallyd.conf"
    path.write_text(f"[store]\nurl = {url}\n")
    for status, where, args in ((6, f"{path}:2: store.url: ", ("-c", path)),
                                (2, "--store: ", ("--store", url)),
                                (2, "--copy-store: ", ("--copy-store", "sqlite:t.db", url))):
        for more in [()] if "--copy-store" in args else [("--check-config",), ()]:
            got, err = run(*args, *more)
            assert (got, len(err)) == (status, 1), err
            assert err[0].startswith(f"{where}the postgresql:// URL "), err
            assert "postgresql://USER@HOST:PORT/DATABASE" in err[0] and "secret" not in err[0], err


def test_a_url_of_every_form_that_libpq_takes_is_good():
    for url in ("postgresql://u:p@h:5432/t", "postgresql:///t?host=/run/pg", "postgresql://",
                "postgresql://u@a:1,b,[::1]:65535/t?sslmode=require&connect_timeout=3"):
        assert run("--store", url, "--check-config") == (0, []), url


def refused(node):
    """What it says, once it has given up."""
    ran = subprocess.run(node.command(), env=node.environment, capture_output=True, text=True,
                         timeout=harness.START_S, check=False)
    assert ran.returncode == 1, ran.stderr
    return ran.stderr


def test_a_first_start_without_its_engine_says_so_and_makes_no_keys(site, tmp_path):
    (tmp_path / "nobody").mkdir()
    node = site.node(f"postgresql://nobody@/nothing?host={tmp_path}/nobody")
    log = refused(node)
    assert f"{tmp_path}/nobody" in log.splitlines()[-1], log
    assert "keys" not in log
    assert not os.path.exists(node.keys())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("credential", [False, True])
def test_a_start_that_waits_for_its_engine_is_ended_by_a_signal_with_0(
        site, tmp_path, number, credential):
    """With keys that are a credential it is the opening that waits, else the look for a store."""
    (tmp_path / "nobody").mkdir()
    node = site.node(f"postgresql://nobody@/nothing?host={tmp_path}/nobody")
    if credential:
        node.write_keys()
        os.rename(node.keys(), os.path.join(node.folder, "tallyd-keys"))
        node.environment["CREDENTIALS_DIRECTORY"] = node.folder
    process = subprocess.Popen(node.command(), env=node.environment, stderr=subprocess.PIPE,
                               text=True)
    try:
        assert "trying again" in process.stderr.readline()
        process.send_signal(number)
        log = process.communicate(timeout=harness.START_S)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, log
    assert len(log.splitlines()) == 1 and "ending before the start was over" in log, log
    assert f"{tmp_path}/nobody" in log and "keys" not in log, log


MOMENTS = [b"to_regclass", b"pg_advisory_xact_lock", b"max(number)", b"INSERT INTO migration",
           b"COMMIT", b"'key_fingerprint', $2", b"v.seq DESC", b"synchronous_commit",
           b"t.touched >="]


def test_a_start_whose_wire_is_cut_ends_whatever_step_it_was_at(engine, tmp_path):
    """All of them at once: each waits for its own."""
    def cut(moment):
        folder = tmp_path / str(MOMENTS.index(moment))
        folder.mkdir()
        wire = nodes_of.Wire(folder, engine)
        site = nodes_of.Site(engine, folder)
        node = site.node(wire.url_of(site.database))
        node.write_keys()
        wire.trap = (moment, nodes_of.HOLD)
        try:
            log = refused(node)
            assert wire.trap is None, moment
            assert f'"{folder}"' in log and "does not answer" in log, (moment, log)
        finally:
            wire.close()
        node.url = site.url
        node.start()  # nothing is in its way
        node.stop()

    with concurrent.futures.ThreadPoolExecutor(len(MOMENTS)) as pool:
        for done in [pool.submit(cut, moment) for moment in MOMENTS]:
            done.result()


def test_a_host_that_no_connection_comes_about_with_is_given_up_for_the_next_one(site):
    with socket.socket() as silent, contextlib.ExitStack() as waiting:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        # Once as many wait as it has room for, the system passes over whoever comes.
        while True:
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(silent.getsockname())
            if not select.select([], [one], [], 0.5)[1]:
                break
        port = silent.getsockname()[1]
        node = site.node(f"postgresql://{site.engine.user}@127.0.0.1:{port}/{site.database}")
        log = refused(node)
        assert f'"127.0.0.1", port {port}, does not answer' in log, log
        node.url = (f"postgresql://{site.engine.user}@/{site.database}?"
                    f"host=127.0.0.1,{site.engine.folder}&port={port},{engines.PORT}")
        node.start()
        node.poll("p")
        assert node.vote("p", 1, "anna").status == 201


def answers(pooler, database):
    try:
        return pooler.ask("SELECT 1", database) == "1"
    except AssertionError:
        return False


def test_a_start_behind_a_pooler_whose_engine_is_dead_ends(tmp_path):
    engine = engines.Engine()
    pooler = poolers.Pooler(engine)
    site = None
    try:
        engine.make().start()
        pooler.start()
        site = nodes_of.Site(engine, tmp_path)
        site.url = pooler.url(site.database)
        node = site.node().start()
        node.stop()
        with engine.stopped():
            log = refused(node)
        assert f'"{pooler.folder}"' in log and "does not answer" in log, log
        harness.until(lambda: answers(pooler, site.database))
        node.start()
        node.poll("p")
        assert node.vote("p", 1, "anna").status == 201
    finally:
        if site:
            site.end()
        pooler.remove()
        engine.remove()
