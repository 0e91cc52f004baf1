"""The manual pages: they say what the programs' help says, and their examples are run as they stand."""
import os
import re
import shlex
import subprocess

import pytest

import harness

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = [os.path.join(SOURCE, "docs", "man", name)
         for name in ("tally.1", "tallyd.8", "tallyd.conf.5", "tally-import.1")]


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == 0, done
    return done.stdout


def flat(text):
    return " ".join(text.replace("‘", "").replace("’", "").replace("`", "").split())


def shown(page):
    """As a terminal shows it, on one line, without the quotes around words."""
    text = run("mandoc", "-T", "utf8", "-O", "width=1000", page)
    return flat(re.sub(".\b", "", text))


def lines(page):
    with open(page, encoding="utf-8") as file:
        return file.read().split("\n")


def examples(page):
    """The literal lines below EXAMPLES: [command, what it prints], in their order."""
    found = []
    literal = False
    for line in lines(page)[lines(page).index(".Sh EXAMPLES"):]:
        if line.startswith(".Bd -literal") or line.startswith(".Ed"):
            literal = line.startswith(".Bd")
        elif literal and line[:2] in ("$ ", "# "):
            found.append([line[2:].replace("\\e", "\\"), []])
        elif literal and found:
            found[-1][1].append(line)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_finds_nothing_to_say(page):
    done = subprocess.run(["mandoc", "-T", "lint", page], capture_output=True, text=True,
                          timeout=60)
    # The pages name one another, and are not installed here.
    said = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    assert said == []


VERBS = re.findall(r"^  ([a-z]+) +\S", run(harness.TALLY, "help").split("`tally help COMMAND`")[0],
                   re.M)


@pytest.mark.parametrize("verb", VERBS)
def test_the_manual_says_what_the_help_of_a_command_says(verb):
    text = run(harness.TALLY, "help", verb).rsplit("\n`tally help`", 1)[0]
    usage, summary, rest = re.match(r"Usage: ([^\n]*)\n\n\w+: ([^\n]*)\n?(.*)", text, re.S).groups()
    section = re.search(rf"^\.Ss {verb}$(.*?)^\.S[sh] ", "\n".join(lines(PAGES[0])), re.S | re.M)
    assert section, f"there is no section {verb}"
    page = flat(re.sub(".\b", "", run(
        "mandoc", "-T", "utf8", "-O", "width=1000",
        input=".Dd today\n.Dt T 1\n.Os\n.Sh DESCRIPTION\n" + section.group(1))))
    assert flat(usage) in page
    assert flat(summary)[1:] in page
    for paragraph in re.sub(r"^(  --)", r"\n\n\1", rest, flags=re.M).split("\n\n"):
        assert flat(paragraph) in page


def test_the_manual_has_the_options_that_every_command_takes():
    page = shown(PAGES[0])
    for line in re.findall(r"^  --.*$", run(harness.TALLY, "help"), re.M):
        assert flat(line) in page


def test_each_exit_status_and_variable_is_in_the_manual():
    page = "\n".join(lines(PAGES[0]))
    for status in range(7):
        assert f"\n.It {status}\n" in page
    for name in ("TALLY_URL", "TALLY_SOCKET", "TALLY_TOKEN_FILE", "NO_COLOR"):
        assert f".Ev {name}" in page or f".It Ev {name}" in page


def test_each_option_of_the_daemon_is_in_its_manual():
    page = shown(PAGES[1])
    options = set(re.findall(r"--[a-z-]+", run(harness.TALLYD, "--help")))
    assert len(options) > 8
    for option in options:
        assert option in page, option
    for word in ("SIGTERM", "SIGINT", "SIGHUP", "STATE_DIRECTORY", "XDG_STATE_HOME"):
        assert word in page, word


def test_the_manual_of_tally_import_says_what_its_help_says():
    page = shown(PAGES[3])
    text = run(os.environ["TALLY_IMPORT"], "--help")
    options = re.findall(r"^  (?:-\w, )?--[a-z-]+ ?\w?  +(\S.*)$", text, re.M)
    systems = re.findall(r"^  ([a-z-]+) +(\S.*):$", text, re.M)
    assert len(options) == 10 and len(systems) > 1
    for meaning in options:
        assert flat(meaning) in page
    for option in re.findall(r"--[a-z-]+", text):
        assert option in page
    for name, meaning in systems:
        assert f"{name} {flat(meaning)}" in page
    for status in re.findall(r"(\d) \w", text.split("Exit status:")[1]):
        assert f"\n.It {status}\n" in "\n".join(lines(PAGES[3]))


def test_each_key_of_the_configuration_is_in_its_manual_with_its_default():
    with open(os.path.join(SOURCE, "docs", "configuration.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `([a-z_]+)` \| (.*?) \| (reload|restart) \|", file.read(), re.M)
    page = "\n".join(lines(PAGES[2]))
    assert len(rows) > 25
    for key, default, change in rows:
        item = re.search(rf"^\.It Cm {key}$(.*?)^\.(It|El)", page, re.S | re.M)
        assert item, key
        text = " ".join(item.group(1).split())
        assert "Default: " + default.replace("`", "") + "." in text, key
        assert ("Changed by a reload." in text) == (change == "reload"), key


def test_what_a_key_of_the_configuration_takes_is_in_its_manual_as_it_is_written():
    with open(os.path.join(SOURCE, "docs", "configuration.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `([a-z_]+)` \| .*? \| (?:reload|restart) \| (.*) \|$", file.read(),
                          re.M)
    page = "\n".join(lines(PAGES[2]))
    assert len(rows) > 25
    for key, meaning in rows:
        item = re.search(rf"^\.It Cm {key}$(.*?)^\.(It|El)", page, re.S | re.M)
        text = " ".join(item.group(1).split())
        for word in re.findall(r"`([^`]+)`", meaning):
            assert word.replace("…", " ...") in text, (key, word)


def test_the_examples_of_the_client_print_what_the_manual_says(daemon, tmp_path):
    environment = {**os.environ, "TALLY_SOCKET": daemon.socket, "LC_ALL": "C.UTF-8",
                   "PATH": os.path.dirname(harness.TALLY) + ":" + os.environ["PATH"]}
    commands = examples(PAGES[0]) + examples(PAGES[3])
    assert len(commands) > 12
    for command, printed in commands:
        assert run("sh", "-c", command, env=environment, cwd=tmp_path).splitlines() == printed, command


def test_the_example_of_a_configuration_is_a_good_one(tmp_path):
    text = "\n".join(lines(PAGES[2]))
    example = text[text.index(".Sh EXAMPLES"):]
    example = example[example.index("[server]"):example.index(".Ed")]
    path = tmp_path / "tallyd.conf"
    path.write_text(example)
    assert "is good" in run(harness.TALLYD, "-c", str(path), "--check-config")


def test_the_examples_of_the_daemon_use_options_that_there_are():
    for command, _ in examples(PAGES[1]):
        for word in shlex.split(command.split("&&")[0])[1:]:
            if word.startswith("-"):
                assert word in run(harness.TALLYD, "--help"), word
