"""A start whose engine stops answering on the way ends, and says which engine that was."""
import contextlib
import select
import socket
import subprocess

import engine as engines
import harness


def refused(node):
    """What it says, once it has given up."""
    ran = subprocess.run(node.command(), env=node.environment, capture_output=True, text=True,
                         timeout=harness.START_S, check=False)
    assert ran.returncode == 1, ran.stderr
    return ran.stderr


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
