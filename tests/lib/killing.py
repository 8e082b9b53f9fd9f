"""A server that is killed with all its children while clients work on it, again and again on the same
data. The moments and what the clients do come from the seed; KINODEX_TEST_SEED sets another.
"""

import hashlib
import os
import random
import threading

import httpx

from lib.api import Api

ROUNDS = int(os.environ.get("KINODEX_TEST_ROUNDS", "20"))
SEED = int(os.environ.get("KINODEX_TEST_SEED", "20240816"))


class Client(threading.Thread):
    """Takes step after step until a request fails, which is when the server has been killed.

    A subclass has `step(api)`. `chance` is its own; `failure` is what went wrong beside the kill."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server = server
        self.chance = random.Random(f"{SEED}-{seed}")
        self.failure = None
        self.done = 0

    def run(self):
        api = Api(self.server, timeout=20)
        try:
            while True:
                self.step(api)
                self.done += 1
        except httpx.TransportError:
            pass  # killed
        except BaseException as problem:  # noqa: BLE001  shown by the test
            self.failure = problem
        finally:
            api.close()


def kill_again_and_again(server, make_clients, check):
    """`make_clients(round)` work until the kill that ends their round; `check()` looks after every
    start. Stops the server at last; returns how many steps were done."""
    print(f"seed {SEED}, {ROUNDS} rounds")
    chance, work = random.Random(SEED), 0
    for number in range(ROUNDS):
        server.start()
        check()
        clients = make_clients(number)
        for client in clients:
            client.start()
        threading.Event().wait(chance.uniform(0.2, 1.2))  # the moment of death
        server.kill()
        for client in clients:
            client.join(30)
            assert client.failure is None, repr(client.failure)
            work += client.done
    server.start()
    check()
    server.stop()
    return work


def sources(server):
    """sha256 of the stored bytes, by asset id. The key `assets/<id>/source` is the documented one."""
    return {path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in server.data_dir.rglob("source")}
