// The official Node SDK, unmodified, does what its own pages show: upload, wait, play, index,
// filter, change metadata, page, delete. Media: what its package ships, and clips of the maker.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { createReadStream, openAsBlob, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

import { clip, collect, startServer, until } from "../lib/server.mjs";

const require = createRequire(import.meta.url);
const { TwelveLabs, TwelvelabsApi, TwelvelabsApiError } = require("twelvelabs-js");
const shipped = join(dirname(require.resolve("twelvelabs-js")), "examples", "assets");
const movie = join(shipped, "example.mp4");

let server;
let client;

before(async () => {
    server = await startServer();
    // Through the environment, as a user points an existing program at another server.
    process.env.TWELVELABS_BASE_URL = `${server.origin}/v1.3`;
    client = new TwelveLabs({ apiKey: server.key });
});
after(async () => server?.stop());

async function ready(assetId) {
    return until(async () => {
        const asset = await client.assets.retrieve(assetId);
        assert.notEqual(asset.status, "failed");
        return asset.status === "ready" && asset;
    }, 60_000, "the asset");
}

async function indexed(indexId, itemId) {
    return until(async () => {
        const item = await client.indexes.indexedAssets.retrieve(indexId, itemId);
        assert.notEqual(item.status, "failed");
        return item.status === "ready" && item;
    }, 120_000, "indexing");
}

describe("one video from upload to deletion", () => {
    let asset;
    let index;
    let item;

    test("upload as a read stream and wait until ready", async () => {
        const made = await client.assets.create({
            method: "direct", file: createReadStream(movie), enableHls: true,
            enableThumbnail: true, userMetadata: JSON.stringify({ source: "sdk", take: 5 }),
        });
        assert.match(made.id, /^[0-9a-f]{24}$/);
        asset = await ready(made.id);
        assert.equal(asset.filename, "example.mp4");
        assert.equal(asset.fileType, "video/mp4");
        assert.equal(asset.size, statSync(movie).size);
        assert.ok(Math.abs(asset.duration - 160.5) < 0.2, `duration ${asset.duration}`);
        assert.deepEqual(asset.userMetadata, { source: "sdk", take: 5 });
        assert.ok(asset.createdAt instanceof Date && !Number.isNaN(asset.createdAt.getTime()));
        assert.equal(asset.technicalMetadata.videoCodec, "h264");
    });

    test("fetch the manifest, a playlist and a segment", async () => {
        const url = (await until(async () => {
            const { hls } = await client.assets.retrieve(asset.id);
            return hls.status === "ready" && hls;
        }, 30_000, "hls")).manifestUrl;
        const master = await (await fetch(url)).text();
        const media = new URL(master.split("\n").find((l) => l && !l.startsWith("#")), url);
        const playlist = await (await fetch(media)).text();
        const lengths = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].map((m) => Number(m[1]));
        const total = lengths.reduce((a, b) => a + b, 0);
        assert.ok(Math.abs(total - 160.52) < 0.1, `playlist lasts ${total}`);
        const last = playlist.split("\n").filter((l) => l && !l.startsWith("#")).at(-1);
        const segment = await fetch(new URL(last, media));
        assert.equal(segment.status, 200);
        assert.ok((await segment.arrayBuffer()).byteLength > 1000);
    });

    test("see the thumbnail", async () => {
        const { thumbnail } = await until(async () => {
            const found = await client.assets.retrieve(asset.id);
            return found.thumbnail.status === "ready" && found;
        }, 30_000, "the thumbnail");
        const picture = Buffer.from(await (await fetch(thumbnail.representativeUrl)).arrayBuffer());
        assert.equal(picture.subarray(0, 3).toString("hex"), "ffd8ff");
    });

    test("create an index and index the asset", async () => {
        index = await client.indexes.create({
            indexName: "sdk story",
            models: [{ modelName: "marengo3.0", modelOptions: ["visual", "audio"] }],
        });
        const made = await client.indexes.indexedAssets.create(index.id, {
            assetId: asset.id, enableVideoStream: true,
        });
        assert.equal(made.assetId, asset.id);
        item = await indexed(index.id, made.id);
        assert.equal(item.systemMetadata.filename, "example.mp4");
        assert.equal(item.systemMetadata.width, 640);
        assert.equal(item.systemMetadata.fps, 25);
        const { hls } = await client.indexes.indexedAssets.retrieve(index.id, item.id);
        assert.equal(hls.status, "COMPLETE");
        assert.equal((await fetch(hls.videoUrl)).status, 200);
    });

    test("the index counts it", async () => {
        const found = await client.indexes.retrieve(index.id);
        assert.equal(found.videoCount, 1);
        assert.ok(Math.abs(found.totalDuration - 160.5) < 0.2);
        assert.equal(found.models[0].modelName, "marengo3.0");
    });

    test("update metadata of the indexed asset and read it back", async () => {
        const sent = { category: "recentlyAdded", batchNumber: 5, rating: 9.3, needsReview: true };
        await client.indexes.indexedAssets.update(index.id, item.id, { userMetadata: sent });
        let found = await client.indexes.indexedAssets.retrieve(index.id, item.id);
        assert.deepEqual(found.userMetadata, sent);
        await client.indexes.indexedAssets.update(index.id, item.id,
            { userMetadata: { rating: null } });
        found = await client.indexes.indexedAssets.retrieve(index.id, item.id);
        assert.equal("rating" in found.userMetadata, false);
    });

    const filters = {
        status: [{ status: ["ready"] }, { status: ["failed", "pending"] }],
        filename: [{ filename: "example.mp4" }, { filename: "other.mp4" }],
        duration: [{ duration: { gte: 160, lte: 161 } }, { duration: { gte: 161 } }],
        fps: [{ fps: { gte: 25, lte: 25 } }, { fps: { lte: 24.9 } }],
        width: [{ width: { gte: 640, lte: 640 } }, { width: { gte: 641 } }],
        height: [{ height: { lte: 360 } }, { height: { lte: 359 } }],
        size: [{ size: { gte: 7_000_000 } }, { size: { gte: 8_000_000 } }],
        createdAt: [{ createdAt: "2024-08-16T16:53:59Z" }, { createdAt: "2999-01-01T00:00:00Z" }],
        updatedAt: [{ updatedAt: "2024-08-16T16:53:59Z" }, { updatedAt: "2999-01-01T00:00:00Z" }],
        "metadata text": [{ userMetadata: { category: "recentlyAdded" } },
            { userMetadata: { category: "recently" } }],
        "metadata number": [{ userMetadata: { batchNumber: 5 } }, { userMetadata: { batchNumber: 6 } }],
        "metadata boolean": [{ userMetadata: { needsReview: true } },
            { userMetadata: { needsReview: false } }],
    };
    for (const [name, [matching, other]] of Object.entries(filters)) {
        test(`filter by ${name}`, async () => {
            const yes = await client.indexes.indexedAssets.list(index.id, matching);
            assert.deepEqual(yes.data.map((one) => one.id), [item.id]);
            const no = await client.indexes.indexedAssets.list(index.id, other);
            assert.deepEqual(no.data, []);
        });
    }

    test("list the indexed assets of the asset", async () => {
        const all = await collect(await client.indexes.indexedAssets.listByAsset(asset.id));
        assert.deepEqual(all.map((one) => [one.id, one.index.name]), [[item.id, "sdk story"]]);
    });

    test("metadata of the asset: merge, replace, delete", async () => {
        await client.assets.updateUserMetadata(asset.id, { userMetadata: { take: null, b: 1.5 } });
        assert.deepEqual((await client.assets.retrieve(asset.id)).userMetadata,
            { source: "sdk", b: 1.5 });
        await client.assets.replaceUserMetadata(asset.id, { userMetadata: { only: true } });
        assert.deepEqual((await client.assets.retrieve(asset.id)).userMetadata, { only: true });
        await client.assets.deleteUserMetadata(asset.id);
        assert.equal((await client.assets.retrieve(asset.id)).userMetadata, undefined);
    });

    test("deleting a referenced asset is a typed conflict", async () => {
        await assert.rejects(client.assets.delete(asset.id), (error) => {
            assert.ok(error instanceof TwelvelabsApi.ConflictError, error.constructor.name);
            assert.equal(error.statusCode, 409);
            assert.equal(error.body.code, "asset_in_use");
            return true;
        });
    });

    test("rename the index, then delete everything", async () => {
        await client.indexes.update(index.id, { indexName: "renamed" });
        assert.equal((await client.indexes.retrieve(index.id)).indexName, "renamed");
        await client.indexes.indexedAssets.delete(index.id, item.id);
        await client.assets.delete(asset.id);
        await assert.rejects(client.assets.retrieve(asset.id), TwelvelabsApi.NotFoundError);
        await client.indexes.delete(index.id);
        const left = await client.indexes.list({ indexName: "renamed" });
        assert.deepEqual(left.data, []);
    });
});

describe("forms of a file", () => {
    const sound = join(shipped, "audio_sample.mp3");
    const picture = join(shipped, "search_sample.png");
    const forms = {
        "read stream": [() => createReadStream(sound), "audio_sample.mp3", sound, "audio/mpeg"],
        File: [() => new File([readFileSync(picture)], "named.png", { type: "image/png" }),
            "named.png", picture, "image/png"],
        Blob: [async () => openAsBlob(movie), null, movie, "video/mp4"],
    };
    for (const [name, [file, filename, path, type]] of Object.entries(forms)) {
        test(name, async () => {
            const made = await client.assets.create({ method: "direct", file: await file() });
            const asset = await ready(made.id);
            assert.equal(asset.size, statSync(path).size);
            assert.equal(asset.fileType, type);
            if (filename !== null) {
                assert.equal(asset.filename, filename);
            }
        });
    }

    test("a given filename wins", async () => {
        const made = await client.assets.create({
            method: "direct", file: createReadStream(picture), filename: "Żółw 亀.png",
        });
        assert.equal(made.filename, "Żółw 亀.png");
    });

    test("clips of many codecs", async () => {
        for (const name of ["vp9_opus", "hevc_aac", "mpeg4_mp3", "h264_ts"]) {
            const path = clip(name);
            const made = await client.assets.create({ method: "direct", file: createReadStream(path) });
            assert.equal((await ready(made.id)).filename, basename(path));
        }
    });
});

describe("errors are typed", () => {
    test("a file that is no media", async () => {
        const file = new File(["just words"], "words.mp4");
        await assert.rejects(client.assets.create({ method: "direct", file }), (error) => {
            assert.ok(error instanceof TwelvelabsApi.BadRequestError, error.constructor.name);
            assert.equal(error.body.code, "parameter_invalid");
            return true;
        });
    });

    test("an unknown asset", async () => {
        await assert.rejects(client.assets.retrieve("0123456789abcdef01234567"),
            TwelvelabsApi.NotFoundError);
    });

    test("a wrong key", async () => {
        const other = new TwelveLabs({ apiKey: "wrong" });
        await assert.rejects(other.assets.list(), (error) => {
            assert.ok(error instanceof TwelvelabsApiError);
            assert.equal(error.statusCode, 401);
            assert.equal(error.body.code, "api_key_invalid");
            return true;
        });
    });

    test("an index name that is taken", async () => {
        const body = { indexName: "taken", models: [{ modelName: "marengo3.0", modelOptions: ["visual"] }] };
        const made = await client.indexes.create(body);
        await assert.rejects(client.indexes.create(body), (error) => {
            assert.ok(error instanceof TwelvelabsApi.BadRequestError);
            assert.equal(error.body.code, "index_name_already_exists");
            return true;
        });
        await client.indexes.delete(made.id);
    });
});

describe("pagers", () => {
    const png = clip("png_128");
    const made = [];

    before(async () => {
        for (let n = 0; n < 17; n += 1) {
            const asset = await client.assets.create({
                method: "direct", file: createReadStream(png), filename: `pager ${n}.png`,
            });
            made.unshift(asset.id);
        }
    });

    test("assets over more than three pages", async () => {
        const all = await collect(await client.assets.list({ filename: "PAGER", pageLimit: 5 }));
        assert.deepEqual(all.map((one) => one.id), made);
    });

    test("assets by id, and by kind", async () => {
        const some = await collect(await client.assets.list({ assetIds: [made[3], made[9]], pageLimit: 1 }));
        assert.deepEqual(some.map((one) => one.id), [made[3], made[9]]);
        const images = await collect(await client.assets.list({ assetTypes: ["image"], pageLimit: 50 }));
        assert.ok(images.length >= 17);
    });

    test("page by page", async () => {
        let page = await client.assets.list({ filename: "pager", pageLimit: 6 });
        const sizes = [page.data.length];
        while (page.hasNextPage()) {
            page = await page.getNextPage();
            sizes.push(page.data.length);
        }
        assert.deepEqual(sizes, [6, 6, 5, 0]);
    });

    test("indexes over more than three pages", async () => {
        const names = [];
        for (let n = 0; n < 8; n += 1) {
            names.unshift(`pager index ${n}`);
            await client.indexes.create({
                indexName: names[0], models: [{ modelName: "marengo3.0", modelOptions: ["visual"] }],
            });
        }
        const all = await collect(await client.indexes.list({ pageLimit: 2 }));
        assert.deepEqual(all.map((one) => one.indexName), names);
    });

    test("indexed assets over more than three pages", async () => {
        const { id: assetId } = await client.assets.create({
            method: "direct", file: createReadStream(clip("h264_silent")),
        });
        const [{ id }] = (await client.indexes.list({ indexName: "pager index 0" })).data;
        const items = [];
        for (let n = 0; n < 7; n += 1) {
            const one = await client.indexes.indexedAssets.create(id, { assetId, userMetadata: { n } });
            items.push(one.id);
        }
        const all = await collect(await client.indexes.indexedAssets.list(id,
            { pageLimit: 2, sortBy: "created_at", sortOption: "asc" }));
        assert.deepEqual(all.map((one) => one.id), items);
        await Promise.all(items.map((one) => indexed(id, one)));
    });
});
