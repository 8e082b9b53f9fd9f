"""Rows about whole libraries: small images through `kinodex ingest`, and an export."""
import json
import os
import pathlib
import shutil
import time

from lib import load, process
from lib.servers import KEY
from lib.table import at_least, rate

IMAGES = 10_000
PARALLEL = 16
REPEATS = 3
EXPORTED = 20
ACCOUNT = "default"


def measure(bench, films):
    folder = bench.folder("ingest")
    pictures = make_images(films, folder / "pictures", IMAGES)
    rows = [ingest_row(bench, folder, pictures), export_row(bench, films, folder, pictures)]
    shutil.rmtree(folder)
    return rows
