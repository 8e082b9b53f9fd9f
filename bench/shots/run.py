#!/usr/bin/env python3
"""Shot boundaries: how right, and how much faster than decoding every frame.

Makes a set of films with known cuts (see scenes.cpp for what is true), analyses each, and prints
precision, recall and F1 per category within two frames, then the speed on a five-minute 720p film
against `ffmpeg -threads 1` decoding every frame of it in the same run. Both are processor time of
one thread; the analysis includes its audio.

usage: run.py --build DIR [--work DIR] [--only NAME] [--skip-speed] [--json FILE]
"""
import argparse
import concurrent.futures
import dataclasses
import json
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TOLERANCE_FRAMES = 2
WORKERS = 2


@dataclasses.dataclass(frozen=True)
class Clip:
    name: str
    category: str
    seed: int
    encode: tuple
    rate: str = "25"
    frames: int = 500
    size: tuple = (640, 360)
    suffix: str = "mp4"


def x264(*more, gop=50, preset="veryfast"):
    return ("-c:v", "libx264", "-preset", preset, "-g", str(gop), *more)


HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=50:log-level=error:pools=1")
HEVC_B = ("-c:v", "libx265", "-preset", "superfast", "-x265-params",
          "keyint=50:bframes=4:scenecut=0:log-level=error:pools=1")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1500k", "-g", "50")
NO_SCENECUT = ("-sc_threshold", "0")

CLIPS = [
    Clip("cuts-scenecut", "cuts", 1, x264()),
    Clip("cuts-blind", "cuts", 2, x264(*NO_SCENECUT)),
    Clip("cuts-no-b", "cuts", 3, x264(*NO_SCENECUT, "-bf", "0")),
    Clip("cuts-29.97", "cuts", 4, x264(gop=60), rate="30000/1001"),
    Clip("cuts-30-blind", "cuts", 5, x264(*NO_SCENECUT, "-bf", "5", gop=60), rate="30"),
    Clip("cuts-medium", "cuts", 6, x264(*NO_SCENECUT, preset="medium"), frames=350),
    Clip("cuts-open-gop", "cuts", 7, x264(*NO_SCENECUT, "-x264-params", "open-gop=1")),
    Clip("cuts-ts", "cuts", 8, x264(), suffix="ts"),
    Clip("cuts-on-key", "cuts_on_key", 9, x264(*NO_SCENECUT)),
    Clip("cuts-on-key-no-b", "cuts_on_key", 10, x264(*NO_SCENECUT, "-bf", "0")),
    Clip("fades", "fades", 11, x264()),
    Clip("fades-blind", "fades", 12, x264(*NO_SCENECUT)),
    Clip("fades-hevc", "fades", 13, HEVC),
    Clip("dissolves", "dissolves", 14, x264()),
    Clip("dissolves-blind", "dissolves", 15, x264(*NO_SCENECUT, "-bf", "0")),
    Clip("dissolves-30", "dissolves", 16, x264(gop=60), rate="30"),
    Clip("flashes", "flashes", 17, x264()),
    Clip("flashes-blind", "flashes", 18, x264(*NO_SCENECUT)),
    Clip("flashes-vp9", "flashes", 19, VP9, suffix="webm"),
    Clip("motion", "motion", 20, x264()),
    Clip("motion-blind", "motion", 21, x264(*NO_SCENECUT)),
    Clip("motion-hevc", "motion", 22, HEVC),
    Clip("similar", "similar", 23, x264()),
    Clip("similar-blind", "similar", 24, x264(*NO_SCENECUT)),
    Clip("grain", "grain", 25, x264("-tune", "grain"), frames=300),
    Clip("grain-blind", "grain", 26, x264(*NO_SCENECUT), frames=300),
    Clip("quick", "quick", 27, x264()),
    Clip("quick-blind", "quick", 28, x264(*NO_SCENECUT)),
    Clip("hevc", "hevc", 29, HEVC),
    Clip("hevc-b-blind", "hevc", 30, HEVC_B, frames=350),
    Clip("vp9", "vp9", 31, VP9, suffix="webm"),
    Clip("long-gop", "long_gop", 32, x264(gop=250)),
    Clip("long-gop-blind", "long_gop", 33, x264(*NO_SCENECUT, gop=250)),
    Clip("mjpeg", "intra", 34, ("-c:v", "mjpeg", "-q:v", "4"), suffix="mov"),
    Clip("mixed", "mixed", 35, x264()),
    Clip("mixed-blind", "mixed", 36, x264(*NO_SCENECUT)),
]
# Codecs and long groups of pictures are categories of their own; their films are of these kinds.
SCENES_OF = {"hevc": "mixed", "vp9": "cuts", "long_gop": "mixed", "intra": "cuts"}

# Five minutes from parts that are joined without coding again, so that the set is quick to make.
SPEED_PARTS = [("film", 201), ("film", 202), ("film", 203)]
SPEED_PART_FRAMES = 500
SPEED_REPEATS = 5


def make(clip, scenes, work):
    """Paints and encodes a clip; returns (path, boundaries as frame numbers with their kinds)."""
    path, truth = work / f"{clip.name}.{clip.suffix}", work / f"{clip.name}.json"
    painter = subprocess.Popen(
        [scenes, SCENES_OF.get(clip.category, clip.category), str(clip.seed), str(clip.size[0]),
         str(clip.size[1]), str(clip.frames), truth], stdout=subprocess.PIPE)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-threads", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p",
         "-s", f"{clip.size[0]}x{clip.size[1]}", "-r", clip.rate, "-i", "-", *clip.encode,
         "-threads", "1", path],
        stdin=painter.stdout, check=True)
    painter.stdout.close()
    if painter.wait() != 0:
        raise RuntimeError(f"painting {clip.name} failed")
    return path, json.loads(truth.read_text())["boundaries"]


def analyze(program, path, work):
    done = subprocess.run([program, path, work / "pictures.bin", work / "audio.wav"],
                          stderr=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def rate_of(text):
    top, _, bottom = text.partition("/")
    return int(top) / int(bottom or 1)


def match(found, true):
    """Greedy one-to-one matching in order; both sorted. Returns (hits, misses, extras)."""
    hits, misses, extras = 0, [], list(found)
    for each in true:
        near = [f for f in extras if abs(f - each["frame"]) <= TOLERANCE_FRAMES]
        if near:
            extras.remove(min(near, key=lambda f: abs(f - each["frame"])))
            hits += 1
        else:
            misses.append(each)
    return hits, misses, extras


def f1(hits, misses, extras):
    return 2 * hits / (2 * hits + misses + extras) if hits + misses + extras else 1.0


def evaluate(clips, tools, work):
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        made = list(pool.map(lambda clip: make(clip, tools["scenes"], work), clips))
    making = time.monotonic() - started
    totals = {}
    for clip, (path, true) in zip(clips, made):
        report = analyze(tools["analyze"], path, work)
        found = [round(shot["start"] * rate_of(clip.rate)) for shot in report["shots"][1:]]
        hits, misses, extras = match(found, true)
        entry = totals.setdefault(clip.category, [0, 0, 0])
        for i, value in enumerate((hits, len(misses), len(extras))):
            entry[i] += value
        if misses or extras:
            missed = ", ".join(f"{m['frame']} ({m['kind']})" for m in misses)
            print(f"  {clip.name}: missed [{missed}] extra {extras}", file=sys.stderr)
    print(f"{sum(c.frames for c in clips)} frames in {len(clips)} films, made in {making:.0f} s\n")
    print(f"{'category':<14}{'true':>6}{'found':>7}{'missed':>8}{'extra':>7}{'F1':>8}")
    for name, (hits, misses, extras) in totals.items():
        print(f"{name:<14}{hits + misses:>6}{hits + extras:>7}{misses:>8}{extras:>7}"
              f"{f1(hits, misses, extras):>8.3f}")
    hits, misses, extras = (sum(entry[i] for entry in totals.values()) for i in range(3))
    print(f"{'all':<14}{hits + misses:>6}{hits + extras:>7}{misses:>8}{extras:>7}"
          f"{f1(hits, misses, extras):>8.3f}\n")
    return {"all": f1(hits, misses, extras),
            **{name: f1(*entry) for name, entry in totals.items()}}


def make_speed_film(tools, work):
    """Five minutes of 720p at the bit rate of a camera or an upload, a key frame at least every 2 s, and sound."""
    rate = ("-crf", "19")
    parts = [Clip(f"part-{seed}", kind, seed, x264(*rate), frames=SPEED_PART_FRAMES, size=(1280, 720))
             for kind, seed in SPEED_PARTS]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        made = list(pool.map(lambda clip: make(clip, tools["scenes"], work), parts))
    order = [i for turn in range(SPEED_REPEATS) for i in
             [(k * (turn % 2 * 2 + 1) + turn) % len(made) for k in range(len(made))]]
    listing = work / "parts.txt"
    listing.write_text("".join(f"file '{made[i][0].name}'\n" for i in order))
    true = []
    for position, i in enumerate(order):
        offset = position * SPEED_PART_FRAMES
        if position > 0:  # also from a part's end to its own beginning
            true.append({"frame": offset, "kind": "cut"})
        true += [{**b, "frame": b["frame"] + offset} for b in made[i][1]]
    film = work / "speed.mp4"
    seconds = len(order) * SPEED_PART_FRAMES / 25
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "concat", "-i", listing, "-f", "lavfi", "-i",
         f"aevalsrc=0.2*sin(440*2*PI*t)*gt(mod(t\\,20)\\,2)+0.05*random(0)|0.2*sin(660*2*PI*t)"
         f":s=48000:d={seconds}",
         "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "128k",
         "-movflags", "+faststart", film], check=True)
    return film, true


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_speed(tools, work, repeats=3):
    film, true = make_speed_film(tools, work)
    report = analyze(tools["analyze"], film, work)
    hits, misses, extras = match([round(s["start"] * 25) for s in report["shots"][1:]], true)
    peer = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(film), "-f", "null", "-"]
    ours = [tools["analyze"], str(film), str(work / "pictures.bin"), str(work / "audio.wav")]
    decode = min(processor_seconds(peer) for _ in range(repeats - 1))
    indexed = min(processor_seconds(ours) for _ in range(repeats))
    result = {"decode_sec": decode, "analyze_sec": indexed, "ratio": decode / indexed,
              "f1": f1(hits, len(misses), len(extras)), "shots": len(report["shots"]),
              "memory_kb": report["memory_kb"]}
    print(f"5 min 720p, {film.stat().st_size * 8 / 300e6:.1f} Mbit/s, {result['shots']} shots: decoding every frame {decode:.2f} s, "
          f"indexing {indexed:.2f} s: {result['ratio']:.1f} x (target 5), "
          f"F1 {result['f1']:.3f}, memory {result['memory_kb'] / 1024:.0f} MB")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="CMake build directory")
    parser.add_argument("--work", type=pathlib.Path, help="keep the films here")
    parser.add_argument("--only", help="clips whose name starts so")
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    programs = options.build / "bench" / "shots"
    tools = {name: str(programs / f"shots_{name}") for name in ("scenes", "analyze")}
    work = options.work or pathlib.Path(tempfile.mkdtemp(prefix="shots-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        clips = [c for c in CLIPS if not options.only or c.name.startswith(options.only)]
        figures = {"f1": evaluate(clips, tools, work)}
        if not options.skip_speed:
            figures["speed"] = measure_speed(tools, work)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=2) + "\n")
    finally:
        if not options.work:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
