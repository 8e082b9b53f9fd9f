"""What every group of rows is given: the binary, its helpers, and a folder for data."""
import json
import os
import pathlib
import shutil
import subprocess

from lib import process
from lib.servers import Kinodex

SERVER_CORE, LOAD_CORE = 0, 1
TOOLS = ("kn_seed_store", "kn_bench_sqlite", "kn_bench_files", "shots_scenes", "shots_analyze")


class Bench:
    def __init__(self, binary, work, rows):
        self.binary = pathlib.Path(binary).resolve()
        self.build = self.binary.parent
        self.work = pathlib.Path(work).resolve()
        self.rows_1m = rows

    def build_tools(self):
        if (self.build / "CMakeCache.txt").exists():
            jobs = str(os.cpu_count() or 1)
            subprocess.run(["cmake", "--build", self.build, "-j", jobs, "--target", *TOOLS],
                           check=True, stdout=subprocess.DEVNULL)

    def tool(self, name):
        return self.build / name

    def folder(self, name):
        """A new empty folder."""
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def kinodex(self, name, *options, core=None):
        return Kinodex(self.binary, self.work / name, *options, core=core)

    def seed(self, database, rows, index, seed):
        """Ready assets and as many indexed assets; returns the tool's answer."""
        done = process.run([self.tool("kn_seed_store"), "--database", database, "--rows", rows,
                            "--index", index, "--seed", seed], limit=300)
        return json.loads(done.stdout)
