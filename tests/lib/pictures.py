"""Pictures as plain numbers: decoded by FFmpeg, looked at with a few lines of arithmetic."""

import json
import random
import struct
import subprocess
import zlib
from dataclasses import dataclass


@dataclass
class Picture:
    width: int
    height: int
    rgb: bytes

    def mean(self, left=0.0, top=0.0, right=1.0, bottom=1.0):
        """The mean colour of a part of the picture, given as fractions of its sides."""
        rows = range(int(top * self.height), max(int(bottom * self.height), 1))
        x0, x1 = int(left * self.width), int(right * self.width)
        total = [0, 0, 0]
        for y in rows:
            line = self.rgb[3 * (y * self.width + x0):3 * (y * self.width + x1)]
            for channel in range(3):
                total[channel] += sum(line[channel::3])
        count = max(len(rows) * (x1 - x0), 1)
        return tuple(value / count for value in total)

    def spread(self):
        """Largest minus smallest luma-like value: 0 for a uniform picture."""
        greens = self.rgb[1::3]
        return max(greens) - min(greens)


def decode(data):
    """A picture from JPEG bytes; the decoder is not told what to expect."""
    size = probe_bytes(data)["streams"][0]
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "rawvideo", "-pix_fmt",
                           "rgb24", "-frames:v", "1", "pipe:1"], input=data, capture_output=True,
                          timeout=30)
    assert done.returncode == 0 and done.stdout, done.stderr.decode()
    return Picture(size["width"], size["height"], done.stdout)


def probe_bytes(data):
    done = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-of", "json", "pipe:0"],
                          input=data, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def is_jpeg(data):
    return data[:3] == b"\xff\xd8\xff" and data[-2:] == b"\xff\xd9"


def near(colour, wanted, tolerance=60):
    return all(abs(a - b) <= tolerance for a, b in zip(colour, wanted))


RED, BLUE, LIME = (254, 0, 0), (0, 0, 254), (0, 255, 1)


def noise_png(side):
    """A square PNG of random pixels, which takes a good 3 bytes for each; the same every time."""
    chance = random.Random(side)

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + chance.randbytes(3 * side) for _ in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b""))
