"""Makes the media that the tests use, with FFmpeg, once; kept under build/test-media.

Each clip is a row: a name and the words of one ffmpeg command. The name of a kept file holds a
hash of its command, so a changed row is made again. `name@14` is the clip with 14 s in place of
5 s, long enough for several segments. Run as a program it makes all of them:

    python tests/media/maker.py [NAME…]
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

KEPT = Path(os.environ.get("KINODEX_TEST_MEDIA",
                           Path(__file__).resolve().parents[2] / "build" / "test-media"))

PICTURE = "testsrc2=size=640x360:rate=25:duration=5"
SOUND = "sine=frequency=440:sample_rate=48000:duration=5"
X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
BOTH = f"-f lavfi -i {PICTURE} -f lavfi -i {SOUND}"
GOP = "-g 50 -keyint_min 50"


def _both(words, extension, inputs=BOTH):
    return f"{inputs} {words}", extension


# name: (ffmpeg words, extension). 5 s, 640x360, 25 fps, key frame each 2 s unless the name differs.
CLIPS = {
    "h264_aac": _both(f"{X264} {GOP} -c:a aac -shortest -movflags +faststart", "mp4"),
    "h264_moov_last": _both(f"{X264} {GOP} -c:a aac -shortest", "mp4"),
    "h264_bframes": _both(f"-c:v libx264 -preset veryfast -bf 3 -b_strategy 0 {GOP} "
                          "-pix_fmt yuv420p -c:a aac -shortest", "mp4"),
    "h264_opengop": _both("-c:v libx264 -preset veryfast -bf 2 -x264-params "
                          "open-gop=1:keyint=25 -pix_fmt yuv420p -c:a aac -shortest", "mp4"),
    "h264_silent": _both(f"{X264} {GOP}", "mp4", f"-f lavfi -i {PICTURE}"),
    "h264_start_offset": _both(f"{X264} {GOP} -c:a aac -shortest -output_ts_offset 3 "
                               "-avoid_negative_ts disabled", "mkv"),
    "h264_vfr": _both(f"-vf select='not(mod(n\\,3))+lt(n\\,40)' -vsync vfr {X264} {GOP} "
                      "-c:a aac", "mp4"),
    "h264_ts": _both(f"{X264} {GOP} -c:a aac -shortest", "ts"),
    "h264_fragmented": _both(f"{X264} {GOP} -c:a aac -shortest "
                             "-movflags frag_keyframe+empty_moov", "mp4"),
    "h264_ac3": _both(f"{X264} {GOP} -c:a ac3 -b:a 192k -shortest", "mp4"),
    "h264_mp3": _both(f"{X264} {GOP} -c:a libmp3lame -shortest", "mkv"),
    "h264_flac": _both(f"{X264} {GOP} -c:a flac -shortest", "mkv"),
    "h264_opus": _both(f"{X264} {GOP} -c:a libopus -shortest", "mkv"),
    "hevc_aac": _both("-c:v libx265 -preset ultrafast -x265-params "
                      "log-level=error:keyint=50:min-keyint=50 -tag:v hvc1 -pix_fmt yuv420p "
                      "-c:a aac -shortest", "mp4"),
    "av1_opus": _both("-c:v libsvtav1 -preset 12 -g 50 -pix_fmt yuv420p -c:a libopus -shortest",
                      "mp4"),
    "vp9_opus": _both(f"-c:v libvpx-vp9 -deadline realtime -cpu-used 8 {GOP} -b:v 500k "
                      "-c:a libopus -shortest", "webm"),
    "mpeg4_mp3": _both(f"-c:v mpeg4 -q:v 5 {GOP} -c:a libmp3lame -shortest", "avi"),
    "mpeg2_mp2": _both("-c:v mpeg2video -q:v 5 -g 12 -c:a mp2 -shortest", "mpg"),
    "prores_pcm": _both("-c:v prores_ks -profile:v 0 -c:a pcm_s16le -shortest", "mov"),
    "two_audio": _both(f"-map 0:v -map 1:a -map 2:a {X264} {GOP} -c:a aac "
                       "-metadata:s:a:0 language=eng -metadata:s:a:1 language=fra -shortest",
                       "mp4", BOTH + " -f lavfi -i sine=frequency=880:duration=5"),
    "timecode": _both(f"{X264} {GOP} -timecode 01:02:03:04", "mov", f"-f lavfi -i {PICTURE}"),
    "located": _both(f"{X264} {GOP} -metadata location=+48.8577+002.2950+035.000/ "
                     "-metadata creation_time=2024-02-03T04:05:06Z -movflags use_metadata_tags",
                     "mov", f"-f lavfi -i {PICTURE}"),
    "hdr": _both("-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -tag:v hvc1 -x265-params "
                 "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc "
                 "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc", "mp4",
                 f"-f lavfi -i {PICTURE}"),
    "black_start": _both(f"-filter_complex [0][1]concat=n=2:v=1 {X264} -g 25", "mp4",
                         "-f lavfi -i color=black:size=640x360:rate=25:duration=2 "
                         "-f lavfi -i testsrc2=size=640x360:rate=25:duration=4"),
    "upright_half": _both(f"-vf drawbox=x=0:y=0:w=320:h=360:color=red:t=fill {X264}", "mp4",
                          "-f lavfi -i color=blue:size=640x360:rate=25:duration=5"),
    # what filters tell apart
    "long_8s_10fps": _both(f"{X264}", "mp4",
                           "-f lavfi -i testsrc2=size=640x480:rate=10:duration=8"),
    "wide_30fps": _both(f"{X264}", "mp4",
                        "-f lavfi -i testsrc2=size=1280x720:rate=30:duration=4"),
    "tall_25fps": _both(f"{X264}", "mp4",
                        "-f lavfi -i testsrc2=size=400x640:rate=25:duration=6"),
    # bounds of duration, size and shape
    "short_3900ms": _both(f"{X264}", "mp4", "-f lavfi -i testsrc2=size=640x360:rate=10:duration=3.9"),
    "exact_4s": _both(f"{X264}", "mp4", "-f lavfi -i testsrc2=size=640x360:rate=10:duration=4"),
    "exact_61s": _both(f"{X264}", "mp4", "-f lavfi -i testsrc2=size=640x360:rate=2:duration=61"),
    "just_360": _both(f"{X264}", "mp4", "-f lavfi -i testsrc2=size=360x360:rate=10:duration=5"),
    "below_360": _both(f"{X264}", "mp4", "-f lavfi -i testsrc2=size=640x358:rate=10:duration=5"),
    "too_wide_shape": _both(f"{X264}", "mp4",
                            "-f lavfi -i testsrc2=size=880x364:rate=10:duration=5"),
    "just_wide_shape": _both(f"{X264}", "mp4",
                             "-f lavfi -i testsrc2=size=864x360:rate=10:duration=5"),
    "too_many_pixels": _both(f"{X264}", "mp4",
                             "-f lavfi -i color=gray:size=5200x2400:rate=1:duration=5"),
    "index_60s": _both(f"{X264} {GOP} -c:a aac -shortest", "mp4",
                       "-f lavfi -i testsrc2=size=640x360:rate=25:duration=60 "
                       "-f lavfi -i sine=frequency=330:duration=60"),
    # audio
    "tone_wav": ("-f lavfi -i sine=frequency=440:duration=5 -c:a pcm_s16le", "wav"),
    "tone_mp3": ("-f lavfi -i sine=frequency=440:duration=5 -c:a libmp3lame", "mp3"),
    "tone_m4a": ("-f lavfi -i sine=frequency=440:duration=5 -c:a aac", "m4a"),
    "tone_flac": ("-f lavfi -i sine=frequency=440:duration=5 -c:a flac", "flac"),
    "tone_ogg": ("-f lavfi -i sine=frequency=440:duration=5 -c:a libopus", "ogg"),
    "short_mp3": ("-f lavfi -i sine=frequency=440:duration=2 -c:a libmp3lame", "mp3"),
    "cover_mp3": ("-f lavfi -i sine=frequency=440:duration=5 -f lavfi -i "
                  "color=lime:size=320x320:rate=1:duration=1 -map 0:a -map 1:v -c:a libmp3lame "
                  "-c:v mjpeg -disposition:v attached_pic -id3v2_version 3", "mp3"),
    # images
    "jpeg_640": ("-f lavfi -i testsrc2=size=640x480 -frames:v 1 -q:v 3", "jpg"),
    "png_128": ("-f lavfi -i testsrc2=size=128x128 -frames:v 1", "png"),
    "png_127": ("-f lavfi -i testsrc2=size=256x256 -vf format=rgb24,crop=127:128 -frames:v 1",
                "png"),
    "png_alpha": ("-f lavfi -i color=red@0.5:size=200x200,format=rgba -frames:v 1", "png"),
    "gif_animated": ("-f lavfi -i testsrc2=size=160x160:rate=5:duration=1", "gif"),
    "webp_still": ("-f lavfi -i testsrc2=size=320x240 -frames:v 1 -c:v libwebp", "webp"),
    "webp_animated": ("-f lavfi -i testsrc2=size=160x160:rate=5:duration=1 -c:v libwebp_anim "
                      "-loop 0", "webp"),
    "jpeg_halves": ("-f lavfi -i color=blue:size=400x200 -vf "
                    "drawbox=x=0:y=0:w=200:h=200:color=red:t=fill -frames:v 1 -q:v 2", "jpg"),
}

# Clips made from other clips by copying streams.
DERIVED = {
    "rotated_90": ("upright_half", "-c copy -metadata:s:v:0 rotate=90", "mp4"),
    "edit_list": ("h264_bframes", "-ss 0.7 SRC -c copy", "mp4"),
}


def clip(name):
    """The path of a clip, made when it is not there yet."""
    name, _, seconds = name.partition("@")
    if name in SPECIAL:
        return _kept(name, name + SPECIAL[name].__doc__, "bin", SPECIAL[name])
    if name in DERIVED:
        source, words, extension = DERIVED[name]
        path = clip(f"{source}@{seconds}" if seconds else source)
        line = words.replace("SRC", f"-i {path}") if "SRC" in words else f"-i {path} {words}"
        return _kept(name, line, extension, lambda out: _ffmpeg(line, out))
    line, extension = CLIPS[name]
    if seconds:
        line = line.replace("duration=5", f"duration={seconds}")
    return _kept(name, line, extension, lambda out: _ffmpeg(line, out))


def _kept(name, recipe, extension, make):
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:8]
    path = KEPT / f"{name}-{digest}.{extension}"
    if not path.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        draft = KEPT / f".{name}-{digest}-{os.getpid()}.{extension}"
        make(draft)
        draft.rename(path)
    return path


def _ffmpeg(words, out):
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
               *[word.replace("'", "") for word in words.split()], str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")


def exif_orientation(jpeg, value):
    """The JPEG with an EXIF block that says only the orientation."""
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0" + bytes([value, 0, 0, 0]) \
        + b"\0\0\0\0"
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def _rotated_jpeg(out):
    """Red left, blue right, and an EXIF note (6) to turn it a quarter to the right."""
    out.write_bytes(exif_orientation(clip("jpeg_halves").read_bytes(), 6))


def _large_video(out):
    """A playable MP4 of 190 MB: a clip followed by a large `free` box."""
    head = clip("h264_aac").read_bytes()
    room = 190 * 1000 * 1000 - len(head)
    with open(out, "wb") as file:
        file.write(head + room.to_bytes(4, "big") + b"free")
        block = os.urandom(1 << 20)
        left = room - 8
        while left > 0:
            left -= file.write(block[:min(left, len(block))])


def _larger_video(out):
    """A playable MP4 of 210 MB, most of it a hole in the file."""
    head = clip("h264_aac").read_bytes()
    room = 210 * (1 << 20) - len(head)
    with open(out, "wb") as file:
        file.write(head + room.to_bytes(4, "big") + b"free")
        file.truncate(210 * (1 << 20))


SPECIAL = {"jpeg_rotated_6": _rotated_jpeg, "large_190mb": _large_video,
           "large_210mb": _larger_video}


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [*CLIPS, *DERIVED, "jpeg_rotated_6"]:
        print(clip(wanted))
