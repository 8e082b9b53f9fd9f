// The official Node SDK, unmodified, uploads in parts: its helper, its waiting, its pagers; with a
// chunk that breaks, and with the server killed and started again in the middle.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startProxy } from "../lib/proxy.mjs";
import { clip, startServer, until } from "../lib/server.mjs";

const require = createRequire(import.meta.url);
const { TwelveLabs, TwelvelabsApi } = require("twelvelabs-js");

const chunk = 5 * 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "kinodex-parts-"));
const film = join(folder, "film.mp4");
let server;
let proxy;
let client;
let onPut = () => false;

const portOf = (origin) => Number(new URL(origin).port);

before(async () => {
    // A clip and what players pass over after it: seven chunks, the last one short.
    const content = Buffer.alloc(6 * chunk + 1234, 0x5a);
    readFileSync(clip("h264_aac")).copy(content);
    for (let at = content.length - 1; at > 10 * 1024 * 1024; at -= 4099) {
        content[at] = at % 251;
    }
    writeFileSync(film, content);
    server = await startServer();
    proxy = await startProxy(() => portOf(server.origin), (...put) => onPut(...put));
    process.env.TWELVELABS_BASE_URL = `${proxy.origin}/v1.3`;
    client = new TwelveLabs({ apiKey: server.key });
});
after(async () => {
    proxy?.close();
    rmSync(folder, { recursive: true, force: true });
    await server?.stop();
});

async function sameBytes(url) {
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(readFileSync(film)), "the bytes differ");
}

async function ready(assetId) {
    return until(async () => {
        const asset = await client.assets.retrieve(assetId);
        assert.notEqual(asset.status, "failed");
        return asset.status === "ready" && asset;
    }, 60_000, "the asset");
}

async function collect(page, most = 1000) {
    const all = [];
    for await (const item of page) {
        all.push(item);
        assert.ok(all.length <= most, "the pager does not end");
    }
    return all;
}

describe("uploadFile", () => {
    test("uploads with progress, and the asset is the file", async () => {
        const steps = [];
        const result = await client.multipartUpload.uploadFile(film, {
            filename: "by helper.mp4", batchSize: 3,
            progressCallback: (progress) => steps.push(progress.completedChunks),
        });
        assert.deepEqual(steps, [3, 6, 7]);
        await sameBytes(result.assetUrl);
        const asset = await ready(result.assetId);
        assert.equal(asset.filename, "by helper.mp4");
        assert.equal(asset.size, readFileSync(film).length);
    });

    test("goes on after a chunk that broke off", async () => {
        let cut = 0;
        const first = proxy.puts;
        onPut = (number, sent) => number === first + 2 && sent > chunk / 2 && ++cut > 0;
        const result = await client.multipartUpload.uploadFile(film, { retryDelay: 0.05 });
        onPut = () => false;
        assert.equal(cut, 1);
        assert.equal(proxy.puts - first, 8, "seven chunks and one again");
        await sameBytes(result.assetUrl);
        await ready(result.assetId);
    });

    test("goes on when the server is killed and started again while chunks are on their way",
        async () => {
            let restarted;
            const first = proxy.puts;
            onPut = (number, sent) => {
                if (!restarted && number === first + 5 && sent > chunk / 2) {
                    restarted = server.restart().then((one) => { server = one; });
                }
                return false;
            };
            const result = await client.multipartUpload.uploadFile(film, {
                batchSize: 2, retryDelay: 0.2, maxRetries: 6,
            });
            onPut = () => false;
            assert.ok(restarted, "the server was not killed");
            await restarted;
            await sameBytes(result.assetUrl);
            await ready(result.assetId);
        });

    test("fails when a chunk fails for good", async () => {
        onPut = () => true;
        await assert.rejects(client.multipartUpload.uploadFile(film, {
            retryDelay: 0.01, maxRetries: 1,
        }), /upload failed/i);
        onPut = () => false;
    });
});

describe("single calls", () => {
    test("waitForUploadCompletion sees every chunk and ends with the last report", async () => {
        const session = await client.multipartUpload.create({
            filename: "by hand.mp4", type: "video", totalSize: readFileSync(film).length,
            enableHls: true, userMetadata: { rating: 9.3, n: 5 },
        });
        const seen = [];
        const waiting = client.multipartUpload.waitForUploadCompletion(session.uploadId, {
            sleepInterval: 0.1, callback: (status) => seen.push(status),
        });
        const content = readFileSync(film);
        const completedChunks = [];
        for (const each of session.uploadUrls) {
            const from = (each.chunkIndex - 1) * session.chunkSize;
            const body = content.subarray(from, from + session.chunkSize);
            const answer = await fetch(each.url, { method: "PUT", body });
            completedChunks.push({
                chunkIndex: each.chunkIndex, proof: answer.headers.get("etag"), proofType: "etag",
                chunkSize: body.length,
            });
        }
        await client.multipartUpload.reportChunkBatch(session.uploadId,
            { completedChunks: completedChunks.slice(1) });
        await until(() => seen.some((status) => status.completedChunks === 6), 20_000, "six chunks");
        const last = await client.multipartUpload.reportChunkBatch(session.uploadId,
            { completedChunks });
        assert.deepEqual([last.processedChunks, last.duplicateChunks], [1, 6]);
        const end = await waiting;
        assert.deepEqual([end.status, end.completedChunks, end.totalChunks], ["completed", 7, 7]);
        assert.ok(seen[0].totalChunks === 7, "pending chunks are listed from the start");
        const asset = await ready(session.assetId);
        assert.deepEqual(asset.userMetadata, { rating: 9.3, n: 5 });
    });

    test("pagers go through sessions and chunks to their end", async () => {
        const made = [];
        for (let n = 0; n < 7; ++n) {
            made.push((await client.multipartUpload.create(
                { filename: "a.mp4", type: "video", totalSize: 36 * chunk + n })).uploadId);
        }
        const listed = await collect(
            await client.multipartUpload.listIncompleteUploads({ pageLimit: 2 }));
        assert.deepEqual(listed.map((each) => each.uploadId).slice(0, 7), made.reverse());
        const chunks = await collect(
            await client.multipartUpload.getStatus(made[0], { pageLimit: 8 }));
        assert.deepEqual(chunks.map((each) => each.index),
            Array.from({ length: 37 }, (_, at) => at + 1));
        const more = await client.multipartUpload.getAdditionalPresignedUrls(made[0],
            { start: 21, count: 10 });
        assert.deepEqual(more.uploadUrls.map((each) => each.chunkIndex),
            Array.from({ length: 10 }, (_, at) => at + 21));
    });

    test("refusals are typed", async () => {
        await assert.rejects(client.multipartUpload.create(
            { filename: "a.png", type: "image", totalSize: 6 * 1024 * 1024 }),
        (problem) => problem instanceof TwelvelabsApi.BadRequestError &&
                problem.body.code === "media_filesize_too_large");
        await assert.rejects(client.multipartUpload.reportChunkBatch("0123456789abcdef01234567", {
            completedChunks: [{ chunkIndex: 1, proof: "x", proofType: "etag", chunkSize: 1 }],
        }), (problem) => problem instanceof TwelvelabsApi.NotFoundError);
    });
});
