"""Films for the rows about media, made by FFmpeg; each is made once in a run."""
from lib import process

CLIP_SEC = 10
HOUR_SEC = 3_600
UPLOAD_BYTES = 190 * 1000 * 1000


class Films:
    def __init__(self, folder):
        self.folder = folder

    def clip(self):
        """10 s of 720p H.264 and AAC, a key frame every 2 s, about 4.2 Mbit/s."""
        path = self.folder / "clip.mp4"
        if not path.exists():
            process.run(
                ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                 "testsrc2=size=1280x720:rate=25", "-f", "lavfi", "-i",
                 "aevalsrc=0.2*sin(440*2*PI*t)|0.2*sin(660*2*PI*t):s=48000", "-t", str(CLIP_SEC),
                 "-vf", "noise=alls=12:allf=t", "-c:v", "libx264", "-preset", "veryfast", "-b:v",
                 "4100k", "-maxrate", "5000k", "-bufsize", "8000k", "-g", "50", "-sc_threshold",
                 "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", "-movflags",
                 "+faststart", path])
        return path

    def hour(self):
        """60 min: the clip again and again, without coding it again."""
        return self.looped("hour.mp4", HOUR_SEC)

    def upload(self):
        """As near to 190 MB as the clip repeats to, not above."""
        clip = self.clip()
        per_sec = clip.stat().st_size / CLIP_SEC
        return self.looped("upload.mp4", int(UPLOAD_BYTES / per_sec))

    def looped(self, name, seconds):
        path = self.folder / name
        if not path.exists():
            process.run(["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", self.clip(),
                         "-t", str(seconds), "-c", "copy", "-movflags", "+faststart", path],
                        limit=300)
        return path
