import os
import pathlib
import subprocess
import sys

import pytest


@pytest.mark.skipif(os.environ.get("TALLYD_SYSTEMD") != "1",
                    reason="built without libsystemd, which takes the sockets over")
def test_20_restarts_behind_sockets_that_stay_refuse_nobody_and_lose_no_vote():
    restart = pathlib.Path(__file__).with_name("restart.py")
    done = subprocess.run([sys.executable, str(restart), "--cycles", "20"], timeout=500)
    assert done.returncode == 0
