// The peer of the metadata rows: the same rows in the same SQLite, served as one would with
// Fastify and better-sqlite3. Prepared statements, indexes for each query, JSON by schema.
// usage: node server.mjs DATABASE PORT KEY
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const [path, port, key] = process.argv.slice(2);
const db = new Database(path, { readonly: true, fileMustExist: true });
db.pragma('cache_size = -16384');
db.pragma('mmap_size = 4294967296');

const STATUS = ['pending', 'queued', 'indexing', 'ready', 'failed'];
const ASSET_STATUS = ['processing', 'ready', 'failed'];
const METHOD = ['direct', 'url', 'multipart'];
const DERIVED = ['none', 'pending', 'processing', 'ready', 'error'];

const oneAsset = db.prepare('SELECT * FROM assets WHERE id = ?');
const oneIndex = db.prepare('SELECT id FROM indexes WHERE id = ?');
const statements = new Map();
function prepared(sql) {
    let found = statements.get(sql);
    if (!found) {
        statements.set(sql, (found = db.prepare(sql)));
    }
    return found;
}

const text = { type: 'string' };
const number = { type: 'number' };
const integer = { type: 'integer' };
const anything = { type: 'object', additionalProperties: true };
const derived = { type: 'object', properties: { status: text } };
const assetSchema = {
    type: 'object',
    properties: {
        _id: text, method: text, status: text, filename: text, file_type: text, created_at: text,
        user_metadata: anything, size: integer, duration: number, technical_metadata: anything,
        hls: derived, thumbnail: derived,
    },
};
const listSchema = {
    type: 'object',
    properties: {
        data: {
            type: 'array',
            items: {
                type: 'object',
                properties: {
                    _id: text, asset_id: text, created_at: text, updated_at: text,
                    indexed_at: text, status: text, user_metadata: anything,
                    system_metadata: {
                        type: 'object',
                        properties: {
                            filename: text, duration: number, fps: number, width: integer,
                            height: integer, size: integer,
                        },
                    },
                },
            },
        },
        page_info: {
            type: 'object',
            properties: {
                limit_per_page: integer, page: integer, total_page: integer, total_results: integer,
            },
        },
    },
};

const blob = (hex) => Buffer.from(hex, 'hex');
const time = (ms) => new Date(ms).toISOString();

function assetOf(row) {
    return {
        _id: row.id.toString('hex'), method: METHOD[row.method], status: ASSET_STATUS[row.status],
        filename: row.filename, file_type: row.file_type, created_at: time(row.created_ms),
        user_metadata: JSON.parse(row.user_metadata), size: row.size_bytes,
        duration: row.duration_sec, technical_metadata: JSON.parse(row.technical_metadata),
        hls: { status: DERIVED[row.hls] }, thumbnail: { status: DERIVED[row.thumbnail] },
    };
}

function itemOf(row) {
    return {
        _id: row.id.toString('hex'), asset_id: row.asset_id.toString('hex'),
        created_at: time(row.created_ms), updated_at: time(row.updated_ms),
        indexed_at: row.indexed_ms === null ? undefined : time(row.indexed_ms),
        status: STATUS[row.status], user_metadata: JSON.parse(row.user_metadata),
        system_metadata: {
            filename: row.filename, duration: row.duration_sec, fps: row.fps, width: row.width,
            height: row.height, size: row.size_bytes,
        },
    };
}

const RESERVED = new Set(['page', 'page_limit', 'status', 'duration[gte]', 'duration[lte]']);

/** The WHERE clause of a query and its values. */
function conditions(indexId, query) {
    const where = ['index_id = ?'];
    const values = [indexId];
    if (query.status) {
        where.push('status = ?');
        values.push(STATUS.indexOf(query.status));
    }
    for (const [name, operator] of [['duration[gte]', '>='], ['duration[lte]', '<=']]) {
        if (query[name] !== undefined) {
            where.push(`duration_sec ${operator} ?`);
            values.push(Number(query[name]));
        }
    }
    for (const [name, value] of Object.entries(query)) {
        if (!RESERVED.has(name)) {
            where.push('json_extract(user_metadata, ?) = ?');
            values.push(`$.${name}`, value);
        }
    }
    return { where: where.join(' AND '), values };
}

const app = Fastify({ logger: false });
app.addHook('onRequest', async (request, reply) => {
    if (request.headers['x-api-key'] !== key) {
        return reply.code(401).send({ code: 'api_key_invalid' });
    }
});
app.get('/v1.3/assets/:id', { schema: { response: { 200: assetSchema } } }, (request, reply) => {
    const row = oneAsset.get(blob(request.params.id));
    return row ? reply.send(assetOf(row)) : reply.code(404).send({ code: 'resource_not_exist' });
});
app.get('/v1.3/indexes/:id/indexed-assets', { schema: { response: { 200: listSchema } } },
    (request, reply) => {
        const indexId = blob(request.params.id);
        if (!oneIndex.get(indexId)) {
            return reply.code(404).send({ code: 'resource_not_exist' });
        }
        const page = Number(request.query.page ?? 1);
        const limit = Number(request.query.page_limit ?? 10);
        const { where, values } = conditions(indexId, request.query);
        const total = prepared(`SELECT count(*) FROM indexed_assets WHERE ${where}`)
            .pluck().get(...values);
        const rows = prepared(`SELECT * FROM indexed_assets WHERE ${where}
            ORDER BY created_ms DESC, id DESC LIMIT ? OFFSET ?`)
            .all(...values, limit, (page - 1) * limit);
        return reply.send({
            data: rows.map(itemOf),
            page_info: {
                limit_per_page: limit, page, total_page: Math.ceil(total / limit),
                total_results: total,
            },
        });
    });
await app.listen({ host: '127.0.0.1', port: Number(port) });
