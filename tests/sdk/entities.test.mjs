// The official Node SDK, unmodified, keeps people in collections and knows them by pictures.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";

import { clip, collect, startServer, until } from "../lib/server.mjs";

const require = createRequire(import.meta.url);
const { TwelveLabs, TwelvelabsApi } = require("twelvelabs-js");

let server;
let client;

before(async () => {
    // As large as they are hosted: every upload is `processing` at first.
    server = await startServer("--ingest", "async");
    process.env.TWELVELABS_BASE_URL = `${server.origin}/v1.3`;
    client = new TwelveLabs({ apiKey: server.key });
});
after(async () => server?.stop());

async function image(filename = "face.png") {
    const made = await client.assets.create({
        method: "direct", file: createReadStream(clip("png_128")), filename,
    });
    return made.id;
}

async function ready(collectionId, entityId) {
    return until(async () => {
        const found = await client.entityCollections.entities.retrieve(collectionId, entityId);
        return found.status === "ready" && found;
    }, 30_000, "the entity");
}

describe("an entity collection", () => {
    let made;

    test("create and retrieve", async () => {
        made = await client.entityCollections.create({ name: "crew", description: "of the ship" });
        assert.match(made.id, /^[0-9a-f]{24}$/);
        assert.ok(made.createdAt instanceof Date && !Number.isNaN(made.createdAt.getTime()));
        assert.deepEqual(await client.entityCollections.retrieve(made.id), made);
    });

    test("update", async () => {
        const changed = await client.entityCollections.update(made.id, { name: "Crew" });
        assert.equal(changed.name, "Crew");
        assert.equal(changed.description, "of the ship");
    });

    test("list by name and in order, over more than three pages", async () => {
        for (const name of ["b", "a", "d", "c", "e", "g", "f"]) {
            await client.entityCollections.create({ name: `pager ${name}` });
        }
        const all = await collect(await client.entityCollections.list({
            name: "PAGER", sortBy: "name", sortOption: "asc", pageLimit: 2,
        }));
        assert.deepEqual(all.map((one) => one.name.at(-1)).join(""), "abcdefg");
        const newest = await client.entityCollections.list({ pageLimit: 1 });
        assert.equal(newest.data[0].name, "pager f");
    });

    test("delete", async () => {
        await client.entityCollections.delete(made.id);
        await assert.rejects(client.entityCollections.retrieve(made.id),
            (error) => error.statusCode === 404 && error.body.code === "resource_not_exist");
    });
});

describe("entities", () => {
    let collection;
    let entity;
    let assetIds;

    before(async () => {
        collection = (await client.entityCollections.create({ name: "people" })).id;
    });

    test("create from three assets without waiting for them", async () => {
        assetIds = await Promise.all(["1.png", "2.png", "3.png"].map(image));
        entity = await client.entityCollections.entities.create(collection, {
            name: "Anna", description: "tall", assetIds,
            metadata: { sport: "soccer", teamId: 42, performanceScore: 8.7, isActive: true },
        });
        assert.equal(entity.status, "processing");
        const found = await ready(collection, entity.id);
        assert.equal(found.entityCollectionId, collection);
        assert.deepEqual(found.assetIds, assetIds);
        assert.deepEqual(found.metadata,
            { sport: "soccer", teamId: 42, performanceScore: 8.7, isActive: true });
        assert.equal(found.description, "tall");
    });

    test("update replaces metadata and leaves the rest", async () => {
        const changed = await client.entityCollections.entities.update(collection, entity.id,
            { description: "taller", metadata: { number: 7 } });
        assert.deepEqual(changed.metadata, { number: 7 });
        assert.equal(changed.name, "Anna");
        assert.equal(changed.description, "taller");
        assert.deepEqual(changed.assetIds, assetIds);
    });

    test("add assets, remove assets, but not the last one", async () => {
        const more = await image("4.png");
        let changed = await client.entityCollections.entities.createAssets(collection, entity.id,
            { assetIds: [more] });
        assert.deepEqual(changed.assetIds, [...assetIds, more]);
        await ready(collection, entity.id);
        changed = await client.entityCollections.entities.deleteAssets(collection, entity.id,
            { assetIds });
        assert.deepEqual(changed.assetIds, [more]);
        await ready(collection, entity.id);
        await assert.rejects(
            client.entityCollections.entities.deleteAssets(collection, entity.id,
                { assetIds: [more] }),
            (error) => error instanceof TwelvelabsApi.BadRequestError
                && error.body.code === "parameter_invalid");
        assert.equal((await client.assets.retrieve(assetIds[0])).id, assetIds[0]);
    });

    test("create in bulk, some of it refused", async () => {
        const good = await image();
        const answer = await client.entityCollections.entities.createBulk(collection, {
            entities: [
                { name: "one", assetIds: [good] },
                { name: "two", assetIds: ["0123456789abcdef01234567"] },
                { name: "three", assetIds: [good], metadata: { n: 3 } },
            ],
        });
        assert.equal(answer.successCount, 2);
        assert.equal(answer.failedCount, 1);
        assert.deepEqual(answer.entities.map((one) => one.name), ["one", "three"]);
        assert.deepEqual(answer.errors.map((one) => [one.entityIndex, one.entityName]), [[1, "two"]]);
        assert.match(answer.errors[0].errorReason, /does not exist/);
        await Promise.all(answer.entities.map((one) => ready(collection, one.id)));
    });

    test("list over more than three pages, by name and by status", async () => {
        const assetId = await image();
        await client.entityCollections.entities.createBulk(collection, {
            entities: [..."gfedcba"].map((name) => ({ name: `pager ${name}`, assetIds: [assetId] })),
        });
        const all = await collect(await client.entityCollections.entities.list(collection, {
            name: "pager", sortBy: "name", sortOption: "asc", pageLimit: 2,
        }));
        assert.equal(all.map((one) => one.name.at(-1)).join(""), "abcdefg");
        await Promise.all(all.map((one) => ready(collection, one.id)));
        const waiting = await client.entityCollections.entities.list(collection,
            { status: "processing" });
        assert.deepEqual(waiting.data, []);
        const done = await collect(await client.entityCollections.entities.list(collection,
            { status: "ready", name: "pager" }));
        assert.equal(done.length, 7);
        const byAsset = await collect(await client.entityCollections.entities.listByAsset(assetId,
            { pageLimit: 2 }));
        assert.equal(byAsset.map((one) => one.name.at(-1)).join(""), "abcdefg", "newest first");
    });

    test("deleting an asset unlinks it", async () => {
        const [kept, gone] = [await image(), await image()];
        const made = await client.entityCollections.entities.create(collection,
            { name: "Bob", assetIds: [kept, gone] });
        await client.assets.delete(gone);
        assert.deepEqual((await ready(collection, made.id)).assetIds, [kept]);
    });

    test("delete an entity, then the collection with the rest", async () => {
        await client.entityCollections.entities.delete(collection, entity.id);
        await assert.rejects(client.entityCollections.entities.retrieve(collection, entity.id),
            (error) => error.statusCode === 404);
        await client.entityCollections.delete(collection);
        await assert.rejects(client.entityCollections.entities.list(collection),
            (error) => error.statusCode === 404);
    });
});
