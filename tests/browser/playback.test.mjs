// Plays assets' manifests with hls.js in headless Chromium, as a page of another origin would:
// the clock advances, the length and the picture size are right, seeking works, nothing is fatal.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { openAsBlob, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

import { clip, startServer, until } from "../lib/server.mjs";

const require = createRequire(import.meta.url);
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required"];

let server;
let pages;
let browser;
let origin;

before(async () => {
    server = await startServer();
    pages = createServer((request, answer) => {
        const file = request.url === "/hls.js" ? require.resolve("hls.js/dist/hls.min.js")
            : join(dirname(fileURLToPath(import.meta.url)), "player.html");
        answer.setHeader("content-type", request.url === "/hls.js" ? "text/javascript" : "text/html");
        answer.end(readFileSync(file));
    });
    await new Promise((listening) => pages.listen(0, "127.0.0.1", listening));
    origin = `http://127.0.0.1:${pages.address().port}`;
    browser = await chromium.launch({
        executablePath: process.env.KINODEX_TEST_CHROMIUM ?? "/usr/bin/chromium", args: flags,
    });
});

after(async () => {
    await browser?.close();
    pages?.close();
    await server?.stop();
});

async function manifestOf(name) {
    const form = new FormData();
    form.set("method", "direct");
    form.set("enable_hls", "true");
    form.set("file", await openAsBlob(clip(name)), basename(clip(name)));
    const headers = { "x-api-key": server.key };
    const made = await fetch(`${server.origin}/v1.3/assets`, { method: "POST", headers, body: form });
    assert.equal(made.status, 201, await made.clone().text());
    const { _id } = await made.json();
    return until(async () => {
        const answer = await fetch(`${server.origin}/v1.3/assets/${_id}`, { headers });
        const { hls } = await answer.json();
        assert.notEqual(hls.status, "error");
        return hls.manifest_url;
    }, 60_000, "HLS");
}

/** Runs in the page: plays, seeks to the middle, plays on; resolves to what was seen. */
function play({ url, limitMs }) {
    const video = document.getElementById("video");
    const seen = { errors: [], marks: [] };
    const hls = new window.Hls({ enableWorker: false });
    const wait = (condition, what) => new Promise((done, failed) => {
        const began = performance.now();
        const look = () => {
            if (seen.errors.some((one) => one.fatal)) {
                failed(new Error(`${what}: ${JSON.stringify(seen.errors)}`));
            } else if (condition()) {
                done();
            } else if (performance.now() - began > limitMs) {
                failed(new Error(`no ${what}: time ${video.currentTime}, state `
                    + `${video.readyState}, ${JSON.stringify(seen)}`));
            } else {
                setTimeout(look, 20);
            }
        };
        look();
    });
    hls.on(window.Hls.Events.ERROR, (_, data) => {
        seen.errors.push({ fatal: data.fatal, details: data.details, text: String(data.error ?? "") });
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    return (async () => {
        await wait(() => video.readyState >= 2, "first frame");
        seen.start = video.currentTime;
        await video.play();
        await wait(() => video.currentTime > seen.start + 0.5, "playback");
        seen.duration = video.duration;
        seen.width = video.videoWidth;
        seen.height = video.videoHeight;
        video.currentTime = seen.duration / 2;
        await wait(() => !video.seeking && video.readyState >= 2, "seek to the middle");
        await wait(() => video.currentTime > seen.duration / 2 + 0.3, "playback after seeking");
        video.playbackRate = 4;
        await wait(() => video.ended, "the end");
        seen.end = video.currentTime;
        const quality = video.getVideoPlaybackQuality();
        seen.frames = quality.totalVideoFrames;
        seen.corrupted = quality.corruptedVideoFrames;
        hls.destroy();
        return seen;
    })();
}

async function playInPage(url) {
    const page = await browser.newPage();
    try {
        await page.goto(origin);
        return await page.evaluate(play, { url, limitMs: 20_000 });
    } finally {
        await page.close();
    }
}

async function supports(type) {
    const page = await browser.newPage();
    try {
        return await page.evaluate((t) => MediaSource.isTypeSupported(t), type);
    } finally {
        await page.close();
    }
}

describe("hls.js in Chromium plays", () => {
    const h264 = 'video/mp4; codecs="avc1.42c01e,mp4a.40.2"';
    const rows = [
        ["h264_aac", h264, 640, 360], ["h264_bframes", h264, 640, 360],
        ["h264_start_offset", h264, 640, 360], ["h264_silent", h264, 640, 360],
        ["h264_vfr", h264, 640, 360], ["edit_list", h264, 640, 360], ["h264_ts", h264, 640, 360],
        ["h264_opus", 'video/mp4; codecs="avc1.42c01e,opus"', 640, 360],
        ["h264_flac", 'video/mp4; codecs="avc1.42c01e,flac"', 640, 360],
        ["h264_mp3", h264, 640, 360],
        ["vp9_opus", 'video/mp4; codecs="vp09.00.21.08,opus"', 640, 360],
        ["av1_opus", 'video/mp4; codecs="av01.0.01M.08,opus"', 640, 360],
        ["mpeg4_mp3", h264, 640, 360], ["prores_pcm", h264, 640, 360],
        ["rotated_90", h264, 360, 640], ["long_8s_10fps", h264, 640, 480],
        ["two_audio", h264, 640, 360],
    ];
    for (const name of ["h264_bframes@14", "h264_start_offset@14", "h264_mp3@14"]) {
        rows.push([name, h264, 640, 360]);  // several segments, with a seek into another one
    }
    const lengths = { edit_list: 4.3, long_8s_10fps: 8 };
    for (const [name, type, width, height] of rows) {
        test(name, async (t) => {
            if (!await supports(type)) {
                t.skip(`this browser cannot play ${type}`);
                return;
            }
            const seen = await playInPage(await manifestOf(name));
            const length = lengths[name] ?? (name.endsWith("@14") ? 14 : 5);
            assert.deepEqual(seen.errors.filter((one) => one.fatal), []);
            assert.ok(Math.abs(seen.duration - length) < 0.25, `lasts ${seen.duration}`);
            assert.ok(Math.abs(seen.end - seen.duration) < 0.3, `ended at ${seen.end}`);
            assert.deepEqual([seen.width, seen.height], [width, height]);
            assert.ok(seen.frames > 0);
            assert.equal(seen.corrupted, 0);
            assert.ok(seen.start < 0.3, `starts at ${seen.start}`);
        });
    }

    test("audio without a picture", async () => {
        const url = await manifestOf("tone_mp3");
        const page = await browser.newPage();
        try {
            await page.goto(origin);
            const seen = await page.evaluate(play, { url, limitMs: 20_000 });
            assert.ok(Math.abs(seen.duration - 5) < 0.25);
            assert.deepEqual([seen.width, seen.height], [0, 0]);
        } finally {
            await page.close();
        }
    });

    test("a changed signature is a fatal error, not a hang", async () => {
        const url = (await manifestOf("h264_silent")).replace("signature=", "signature=0");
        await assert.rejects(playInPage(url), /manifestLoadError/);
    });
});
