import pathlib
import subprocess
import sys

import soak_plot

HERE = pathlib.Path(__file__).parent


def test_10_seconds_of_mixed_load_lose_nothing_leave_nothing_open_and_are_drawn(tmp_path):
    plot = tmp_path / "soak.svg"
    done = subprocess.run([sys.executable, HERE / "soak.py", "--cycles", "10", "--plot", plot],
                          timeout=500)
    assert done.returncode == 0
    assert plot.read_text().count("<polyline") == 4


def test_the_slope_is_that_of_the_line_through_the_figures():
    assert soak_plot.slope([5, 5, 5, 5]) == 0
    assert soak_plot.slope([1, 3, 5, 7, 9]) == 2
    assert soak_plot.slope([7]) == 0
