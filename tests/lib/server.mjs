// Starts the real server for tests written in JavaScript, and makes media through the Python maker.

import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";

const tests = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(tests);

export function binary() {
    return resolve(process.env.KINODEX_BIN ?? join(root, "build", "kinodex"));
}

/** The path of a clip of tests/media/maker.py. */
export function clip(name) {
    const python = process.env.KINODEX_TEST_PYTHON ?? "python3";
    return execFileSync(python, [join(tests, "media", "maker.py"), name], { encoding: "utf8" })
        .trim();
}

/**
 * Starts `kinodex serve`; resolves to {origin, key, stop, restart, lines} once it listens.
 * `restart` kills it with SIGKILL and resolves to a server on the same data.
 */
export async function startServer(...options) {
    return startOn(mkdtempSync(join(tmpdir(), "kinodex-test-")), options);
}

async function startOn(dataDir, options) {
    const key = "kx_javascript_test_key_0123456789";
    const words = ["serve", "--data-dir", dataDir, "--listen", "127.0.0.1:0", "--api-key", key,
        "--log-format", "json", ...options];
    const child = spawn(binary(), words, { stdio: ["ignore", "ignore", "pipe"] });
    const lines = [];
    const ended = new Promise((done) => child.once("exit", (code) => done(code)));
    const address = await new Promise((found, failed) => {
        createInterface({ input: child.stderr }).on("line", (text) => {
            const line = parse(text);
            lines.push(line);
            if (line.event === "listening") {
                found(line.address);
            }
        });
        child.once("error", failed);
        ended.then((code) => failed(new Error(`ended with ${code}: ${JSON.stringify(lines)}`)));
    });
    const origin = `http://${address}`;
    await until(async () => (await fetch(`${origin}/readyz`)).ok, 20_000, "readiness");
    async function stop() {
        child.kill("SIGTERM");
        const code = await ended;
        rmSync(dataDir, { recursive: true, force: true });
        assert.equal(code, 0, `the server ended with ${code}`);
        const bad = lines.filter((line) => line.level === "error");
        assert.deepEqual(bad, [], "errors in the log");
    }
    async function restart() {
        child.kill("SIGKILL");
        await ended;
        return startOn(dataDir, options);
    }
    return { origin, key, stop, restart, lines };
}

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return { unparsed: text };
    }
}

/** Polls until `condition()` gives something true and resolves to it. */
export async function until(condition, limitMs, what) {
    const deadline = Date.now() + limitMs;
    for (;;) {
        const value = await condition();
        if (value) {
            return value;
        }
        if (Date.now() > deadline) {
            throw new Error(`waited ${limitMs} ms in vain for ${what}`);
        }
        await new Promise((wake) => setTimeout(wake, 50));
    }
}

/** Everything that a pager gives; fails when it does not end. */
export async function collect(page, most = 1000) {
    const all = [];
    for await (const item of page) {
        all.push(item);
        assert.ok(all.length <= most, "the pager does not end");
    }
    return all;
}
