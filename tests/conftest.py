"""Fixtures that every suite shares, and the note about the published document."""

import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import openapi  # noqa: E402
from lib.api import Api  # noqa: E402
from lib.server import Server, binary, make_key, running, wait_until  # noqa: E402

_numbers = itertools.count(1)


def pytest_report_header():
    where = "present" if openapi.present() else "ABSENT, answers are not checked against it"
    return [f"server: {binary()}", f"published OpenAPI document: {where}"]


def pytest_terminal_summary(terminalreporter):
    own = openapi.own_checker()
    terminalreporter.write_line(
        f"answers checked against the server's own document: {own.checked if own else 0}")
    checker = openapi.checker()
    if checker is None:
        terminalreporter.write_line("published OpenAPI document absent: no answer was checked")
    else:
        terminalreporter.write_line(f"answers checked against the published: {checker.checked}")


def pytest_sessionstart():
    if not binary().is_file():
        pytest.exit(f"no server at {binary()}: build it or set KINODEX_BIN", returncode=3)


@pytest.fixture(autouse=True)
def no_server_left_behind():
    """A test that failed half-way must not leave its server running."""
    before = set(running)
    yield
    for one in running - before:
        one.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server with default limits that most tests share."""
    one = Server(tmp_path_factory.mktemp("data")).start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def new_api(server):
    """Makes a client of an account of its own, so that totals are the test's alone."""
    made = []

    def make():
        key = make_key(server.data_dir, f"account-{next(_numbers)}")
        api = Api(server, key)
        wait_until(lambda: api.get("/assets").status_code == 200, 10, "a new key to be known")
        made.append(api)
        return api

    yield make
    for api in made:
        api.close()


@pytest.fixture(scope="module")
def api(new_api):
    """A client of an account that this test file has for itself."""
    return new_api()


@pytest.fixture(scope="module")
def stranger(new_api):
    """A client of another account."""
    return new_api()


@pytest.fixture
def start_server(tmp_path):
    """Starts servers with options of their own; stops them and checks their logs at the end."""
    started = []

    def start(*options, data_dir=None, **more):
        one = Server(data_dir or tmp_path / f"data{len(started)}", *options, **more)
        started.append(one)
        return one.start()

    yield start
    for one in started:
        if one.is_running():
            one.stop()
        else:
            one.check_log()
