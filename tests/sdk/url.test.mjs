// The official Node SDK, unmodified, makes assets from URLs as its page describes: at once when they
// are small, with polling when they are large.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

import { clip, startServer, until } from "../lib/server.mjs";

const require = createRequire(import.meta.url);
const { TwelveLabs, TwelvelabsApi } = require("twelvelabs-js");

const LARGE = 200 * 1024 * 1024 + 1;
let web;
let server;
let client;

/** The clip, and behind it a `free` box up to `size` bytes. */
function serveLarge(answer, head, size) {
    answer.writeHead(200, { "content-type": "video/mp4", "content-length": size });
    const box = Buffer.alloc(8);
    box.writeUInt32BE(size - head.length, 0);
    box.write("free", 4);
    answer.write(Buffer.concat([head, box]));
    let left = size - head.length - 8;
    const zeros = Buffer.alloc(1 << 20);
    const more = () => {
        while (left > 0) {
            const piece = zeros.subarray(0, Math.min(left, zeros.length));
            left -= piece.length;
            if (!answer.write(piece)) {
                answer.once("drain", more);
                return;
            }
        }
        answer.end();
    };
    more();
}

before(async () => {
    const film = readFileSync(clip("h264_aac"));
    web = createServer((request, answer) => {
        if (request.url === "/film.mp4") {
            answer.writeHead(200, { "content-type": "video/mp4" }).end(film);
        } else if (request.url === "/large.mp4") {
            serveLarge(answer, film, LARGE);
        } else {
            answer.writeHead(404).end();
        }
    });
    await new Promise((done) => web.listen(0, "127.0.0.1", done));
    server = await startServer("--allow-url-hosts", `127.0.0.1:${web.address().port}`);
    process.env.TWELVELABS_BASE_URL = `${server.origin}/v1.3`;
    client = new TwelveLabs({ apiKey: server.key });
});
after(async () => {
    await server?.stop();
    web?.closeAllConnections();
    web?.close();
});

const url = (path) => `http://127.0.0.1:${web.address().port}${path}`;

test("a small file is ready at once", async () => {
    const asset = await client.assets.create({
        method: "url", url: url("/film.mp4"), enableHls: true,
        userMetadata: JSON.stringify({ from: "a url" }),
    });
    assert.equal(asset.status, "ready");
    assert.equal(asset.method, "url");
    assert.equal(asset.filename, "film.mp4");
    assert.deepEqual(asset.userMetadata, { from: "a url" });
    const detail = await client.assets.retrieve(asset.id);
    assert.equal((await fetch(detail.hls.manifestUrl)).status, 200);
});

test("a large file is polled until it is ready", async () => {
    const asset = await client.assets.create({
        method: "url", url: url("/large.mp4"), filename: "mine.mp4",
    });
    assert.equal(asset.status, "processing");
    const detail = await until(async () => {
        const found = await client.assets.retrieve(asset.id);
        assert.notEqual(found.status, "failed");
        return found.status === "ready" && found;
    }, 60_000, "the asset");
    assert.equal(detail.size, LARGE);
    assert.equal(detail.filename, "mine.mp4");
});

test("what is not there is a typed refusal", async () => {
    await assert.rejects(client.assets.create({ method: "url", url: url("/nothing") }), (error) => {
        assert.ok(error instanceof TwelvelabsApi.BadRequestError);
        assert.equal(error.body.code, "media_url_not_accessible");
        assert.ok(error.body.message.includes(url("/nothing")));
        return true;
    });
    await assert.rejects(client.assets.create({ method: "url" }),
        (error) => error.body.code === "parameter_not_provided");
});
