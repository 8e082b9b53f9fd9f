"""Reads HLS as a strict player does, and decodes it with FFmpeg to compare it with its source."""

import re
import subprocess
from dataclasses import dataclass, field
from urllib.parse import urljoin


@dataclass
class Segment:
    url: str
    duration: float
    discontinuity: bool = False


@dataclass
class Playlist:
    url: str
    text: str
    init_url: str | None = None
    segments: list = field(default_factory=list)
    target: int = 0
    version: int = 1
    is_vod: bool = False
    ended: bool = False

    @property
    def duration(self):
        return sum(segment.duration for segment in self.segments)


def attributes(line):
    """KEY=VALUE,KEY="VALUE" of a tag, as a dict."""
    found = re.findall(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)', line.split(":", 1)[1])
    return {key: value.strip('"') for key, value in found}


def read_master(url, text):
    """(variants, audio renditions): each a dict of attributes with the absolute `url` added."""
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "#EXTM3U", lines[:1]
    variants, audio = [], []
    for at, line in enumerate(lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            variants.append({**attributes(line), "url": urljoin(url, lines[at + 1])})
        elif line.startswith("#EXT-X-MEDIA:"):
            found = attributes(line)
            assert found["TYPE"] == "AUDIO", line
            audio.append({**found, "url": urljoin(url, found["URI"])})
    assert variants, text
    return variants, audio


def read_media(url, text):
    playlist, next_duration, gap = Playlist(url, text), None, False
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "#EXTM3U", lines[:1]
    for line in lines:
        if line.startswith("#EXTINF:"):
            next_duration = float(line.split(":")[1].split(",")[0])
        elif line.startswith("#EXT-X-TARGETDURATION:"):
            playlist.target = int(line.split(":")[1])
        elif line.startswith("#EXT-X-VERSION:"):
            playlist.version = int(line.split(":")[1])
        elif line.startswith("#EXT-X-MAP:"):
            playlist.init_url = urljoin(url, attributes(line)["URI"])
        elif line == "#EXT-X-PLAYLIST-TYPE:VOD":
            playlist.is_vod = True
        elif line == "#EXT-X-ENDLIST":
            playlist.ended = True
        elif line == "#EXT-X-DISCONTINUITY":
            gap = True
        elif not line.startswith("#"):
            assert next_duration is not None, f"a segment without EXTINF: {line}"
            playlist.segments.append(Segment(urljoin(url, line), next_duration, gap))
            next_duration, gap = None, False
    return playlist


class Stream:
    """All of one asset's HLS, fetched over HTTP without an API key."""

    def __init__(self, http, manifest_url):
        self.http = http
        self.manifest = self.fetch(manifest_url)
        self.variants, self.audio = read_master(manifest_url, self.manifest.text)
        self.playlists = {}
        for one in [*self.variants, *self.audio]:
            if one["url"] not in self.playlists:
                self.playlists[one["url"]] = read_media(one["url"], self.fetch(one["url"]).text)

    def fetch(self, url, **headers):
        response = self.http.get(url, headers=headers)
        assert response.status_code in (200, 206), f"{url}: {response.status_code} {response.text}"
        return response

    @property
    def video(self):
        return self.playlists[self.variants[0]["url"]]

    @property
    def sound(self):
        return self.playlists[self.audio[0]["url"]] if self.audio else None

    def save(self, playlist, path):
        """Init and all segments in one file that FFmpeg opens: a fragmented MP4, or bare frames
        without the time stamp tags between them (RFC 8216, section 3.4)."""
        with open(path, "wb") as file:
            if playlist.init_url:
                file.write(self.fetch(playlist.init_url).content)
            for segment in playlist.segments:
                data = self.fetch(segment.url).content
                file.write(data if playlist.init_url else without_id3(data))
        return path


def without_id3(data):
    assert data[:3] == b"ID3", "packed audio begins with its time stamp"
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7f
    return data[10 + size:]


def frame_hashes(path, stream="v:0", extra=()):
    """MD5 of every decoded frame (video), or of the whole decoded sound (audio), in order."""
    kind = ["-f", "framemd5"] if stream.startswith("v") else ["-f", "md5"]
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:" + stream, *extra,
                           "-fps_mode", "passthrough", *kind, "pipe:1"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    if not stream.startswith("v"):
        return done.stdout.strip()
    return [line.split(",")[5].strip() for line in done.stdout.splitlines()
            if line and not line.startswith("#")]


def packet_hashes(path, stream):
    """MD5 of every coded packet of a stream: equal when its bytes were passed through."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:" + stream, "-c",
                           "copy", "-f", "framemd5", "pipe:1"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.split(",")[5].strip() for line in done.stdout.splitlines()
            if line and not line.startswith("#")]


def shown_times(path, stream="v:0"):
    """Presentation times in seconds, ascending, as a demuxer reports the packets."""
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries",
                           "packet=pts_time", "-of", "csv=p=0", path],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    words = (line.strip().strip(",") for line in done.stdout.splitlines())
    return sorted(float(word) for word in words if word and word != "N/A")
