// The official Node SDK, unmodified, as older programs use it: a task uploads and indexes a video,
// the videos of an index are listed, tagged, deleted.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { basename } from "node:path";

import { clip, collect, startServer } from "../lib/server.mjs";

const require = createRequire(import.meta.url);
const { TwelveLabs, TwelvelabsApi } = require("twelvelabs-js");
const film = clip("h264_aac");

let server;
let client;
let index;
let web;
let url;

before(async () => {
    server = await startServer("--allow-url-hosts", "127.0.0.1");
    process.env.TWELVELABS_BASE_URL = `${server.origin}/v1.3`;
    client = new TwelveLabs({ apiKey: server.key });
    index = (await client.indexes.create({
        indexName: "legacy",
        models: [{ modelName: "marengo3.0", modelOptions: ["visual", "audio"] }],
    })).id;
    web = createServer((_, answer) => createReadStream(film).pipe(answer));
    await new Promise((done) => web.listen(0, "127.0.0.1", done));
    url = `http://127.0.0.1:${web.address().port}/from%20afar.mp4`;
});
after(async () => {
    web?.close();
    await server?.stop();
});

function done(task, options = {}) {
    return client.tasks.waitForDone(task, { sleepInterval: 0.1, ...options });
}

describe("tasks", () => {
    let made;

    test("create from a read stream and wait until done", async () => {
        made = await client.tasks.create({
            indexId: index, videoFile: createReadStream(film),
            userMetadata: JSON.stringify({ category: "a", take: 5 }),
        });
        assert.match(made.id, /^[0-9a-f]{24}$/);
        assert.notEqual(made.id, made.videoId);
        const seen = [];
        const task = await done(made.id, { callback: (each) => seen.push(each.status) });
        assert.equal(task.status, "ready");
        assert.equal(task.videoId, made.videoId);
        assert.equal(task.indexId, index);
        assert.equal(task.systemMetadata.filename, basename(film));
        assert.ok(Math.abs(task.systemMetadata.duration - 5) < 0.1);
        assert.equal(task.hls.status, "COMPLETE");
        assert.equal((await fetch(task.hls.videoUrl)).status, 200);
    });

    test("create from a URL", async () => {
        const other = await client.tasks.create({
            indexId: index, videoUrl: url, enableVideoStream: false,
        });
        const task = await done(other.id);
        assert.equal(task.status, "ready");
        assert.equal(task.systemMetadata.filename, "from afar.mp4");
        assert.equal(task.hls, undefined);
    });

    test("create in bulk from files and URLs", async () => {
        const tasks = await client.tasks.createBulk({
            indexId: index, videoFiles: [createReadStream(film)], videoUrls: [url],
        });
        assert.equal(tasks.length, 2);
        for (const each of tasks) {
            assert.equal((await done(each.id)).status, "ready");
        }
    });

    test("list with every filter, over more than three pages", async () => {
        const all = await collect(await client.tasks.list({ pageLimit: 1 }));
        assert.equal(all.length, 4);
        assert.equal(all.at(-1).id, made.id, "newest first");
        const listed = async (filter) =>
            (await collect(await client.tasks.list(filter))).map((one) => one.id);
        assert.deepEqual(await listed({ sortBy: "created_at", sortOption: "asc", pageLimit: 3 }),
            all.map((one) => one.id).reverse());
        assert.equal((await listed({ sortBy: "updated_at", status: ["ready", "failed"] })).length, 4);
        assert.equal((await listed({ indexId: index, filename: basename(film) })).length, 2);
        assert.deepEqual(await listed({ status: ["uploading", "validating"] }), []);
        assert.equal((await listed({ width: 640, height: 360 })).length, 4);
        assert.deepEqual(await listed({ width: 641 }), []);
        const { duration } = all[0].systemMetadata;
        assert.equal((await listed({ duration })).length, 4);
        assert.deepEqual(await listed({ createdAt: "2999-01-01T00:00:00Z" }), []);
        assert.equal((await listed({ updatedAt: "2020-01-01T00:00:00Z" })).length, 4);
    });

    test("a file that is no video is refused with a typed error", async () => {
        await assert.rejects(
            client.tasks.create({ indexId: index, videoFile: createReadStream(clip("tone_mp3")) }),
            (error) => error instanceof TwelvelabsApi.BadRequestError
                && error.body.code === "video_file_broken");
    });

    test("delete: the video first, then the task", async () => {
        await assert.rejects(client.tasks.delete(made.id), (error) =>
            error instanceof TwelvelabsApi.BadRequestError
                && error.body.code === "task_cannot_be_deleted");
        await client.indexes.videos.delete(index, made.videoId);
        await client.tasks.delete(made.id);
        await assert.rejects(client.tasks.retrieve(made.id), (error) => error.statusCode === 404);
    });
});

describe("videos", () => {
    let ids;

    test("list over more than three pages", async () => {
        for (const n of [1, 2]) {
            const { id } = await client.tasks.create({
                indexId: index, videoUrl: url,
                userMetadata: JSON.stringify({ category: "new", batchNumber: n, needsReview: true }),
            });
            await done(id);
        }
        const all = await collect(await client.indexes.videos.list(index, { pageLimit: 1 }));
        ids = all.map((one) => one.id);
        assert.equal(ids.length, 5);
        assert.ok(all.every((one) => one.indexedAt && one.assetId && one.systemMetadata.size > 0));
    });

    const filters = {
        "metadata, flat": [{ userMetadata: { category: "new", batchNumber: 2 } }, 1],
        "a boolean": [{ userMetadata: { needsReview: true } }, 2],
        "metadata that nothing has": [{ userMetadata: { category: "old" } }, 0],
        ranges: [{ duration: { gte: 4, lte: 6 }, width: { lte: 640 }, fps: { gte: 25 } }, 5],
        "a range that nothing is in": [{ size: { gte: 1_000_000_000 } }, 0],
        filename: [{ filename: "from afar.mp4" }, 4],
        time: [{ createdAt: "2024-08-16T16:53:59Z", updatedAt: "2024-08-16T16:53:59Z" }, 5],
    };
    for (const [name, [filter, count]] of Object.entries(filters)) {
        test(`filter by ${name}`, async () => {
            const found = await collect(await client.indexes.videos.list(index,
                { ...filter, sortBy: "created_at", sortOption: "asc" }));
            assert.equal(found.length, count);
        });
    }

    test("retrieve, update, read back", async () => {
        const [id] = ids;
        await client.indexes.videos.update(index, id, { userMetadata: { from_sdk: true, batchNumber: null } });
        const found = await client.indexes.videos.retrieve(index, id);
        assert.deepEqual(found.userMetadata, { category: "new", needsReview: true, from_sdk: true });
        assert.equal(found.systemMetadata.fps, 25);
        assert.equal(found.hls.status, "COMPLETE");
        await assert.rejects(
            client.indexes.videos.retrieve(index, id, { embeddingOption: ["visual", "audio"] }),
            TwelvelabsApi.BadRequestError);
    });

    test("delete", async () => {
        await client.indexes.videos.delete(index, ids[0]);
        await assert.rejects(client.indexes.videos.retrieve(index, ids[0]),
            TwelvelabsApi.NotFoundError);
        assert.equal((await client.indexes.retrieve(index)).videoCount, 4);
    });
});
