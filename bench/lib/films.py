"""Films for the rows about media, made by FFmpeg; each is made once in a run."""
import subprocess

from lib import process

CLIP_SEC = 10
RATE = 25
HOUR_SEC = 3_600
UPLOAD_BYTES = 190 * 1000 * 1000


class Films:
    """`painter`: the program that paints scenes with the spectrum of photographs."""

    def __init__(self, folder, painter):
        self.folder = folder
        self.painter = painter

    def clip(self):
        """10 s of 720p H.264 and AAC, a key frame every 2 s, about 4.2 Mbit/s."""
        path = self.folder / "clip.mp4"
        if not path.exists():
            raw = self.folder / "clip.yuv"
            with open(raw, "wb") as frames:
                subprocess.run([self.painter, "film", "301", "1280", "720", str(CLIP_SEC * RATE),
                                self.folder / "clip.json"], stdout=frames, check=True, timeout=120)
            process.run(
                ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s",
                 "1280x720", "-r", str(RATE), "-i", raw, "-f", "lavfi", "-i",
                 "aevalsrc=0.2*sin(440*2*PI*t)|0.2*sin(660*2*PI*t):s=48000", "-t", str(CLIP_SEC),
                 "-c:v", "libx264", "-preset", "veryfast", "-b:v", "4100k", "-maxrate", "5000k",
                 "-bufsize", "8000k", "-g", str(2 * RATE), "-sc_threshold", "0", "-pix_fmt",
                 "yuv420p", "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", path])
            raw.unlink()
        return path

    def hour(self):
        """60 min: the clip again and again, without coding it again."""
        return self.looped("hour.mp4", HOUR_SEC)

    def upload(self):
        """As near to 190 MB as the clip repeats to, not above."""
        clip = self.clip()
        per_sec = clip.stat().st_size / CLIP_SEC
        return self.looped("upload.mp4", int(UPLOAD_BYTES / per_sec))

    def gigabyte(self):
        """As near to 1 GB as the clip repeats to, not above."""
        per_sec = self.clip().stat().st_size / CLIP_SEC
        return self.looped("gigabyte.mp4", int(1e9 / per_sec))

    def looped(self, name, seconds):
        path = self.folder / name
        if not path.exists():
            process.run(["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", self.clip(),
                         "-t", str(seconds), "-c", "copy", "-movflags", "+faststart", path],
                        limit=300)
        return path
