#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

constexpr std::string_view kKeyColumns =
    "k.id, k.account_id, a.account_name, k.name, k.hint, k.hash, k.created_ms, k.revoked_ms, "
    "k.expires_ms, k.last_used_ms, k.scopes "
    "FROM api_keys k JOIN accounts a ON a.id = k.account_id";

base::Result<domain::ApiKey> read_key(const Query& query) {
    domain::ApiKey key;
    key.id = query.id<domain::KeyId>(0);
    key.account_id = query.id<domain::AccountId>(1);
    key.account_name = query.text(2);
    key.name = query.text(3);
    key.hint = query.text(4);
    const auto hash = query.text(5);
    if (hash.size() != key.hash.size()) {
        return base::fail(base::Errc::internal, {}, "a key hash of the wrong size is stored");
    }
    std::ranges::copy(hash, key.hash.begin());
    key.created_at = query.time(6);
    key.revoked_at = query.maybe_time(7);
    key.expires_at = query.maybe_time(8);
    key.last_used_at = query.maybe_time(9);
    key.scopes = domain::Scopes(query.integer(10));
    return key;
}

base::Status insert_key(Connection& db, const domain::ApiKey& key) {
    Query query(db,
                "INSERT INTO api_keys (id, account_id, name, hint, created_ms, expires_ms, scopes, "
                "hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    query.with(key.id, key.account_id, std::string_view(key.name), std::string_view(key.hint),
               key.created_at, key.expires_at, key.scopes.bits());
    return query.add_blob(key.hash.data(), key.hash.size()).done();
}

/// Who ended a key meant it: the text of a revoked one makes no key again. Keys are few, so no
/// index.
base::Status check_not_revoked(Connection& db, const domain::KeyHash& hash) {
    Query query(db, "SELECT id FROM api_keys WHERE hash = ? AND revoked_ms IS NOT NULL");
    KN_TRY(found, query.add_blob(hash.data(), hash.size()).step());
    if (!found) {
        return {};
    }
    return base::fail(
        base::Errc::parameter_invalid,
        {{"parameter", "api_key"},
         {"reason", "The key was revoked as " + query.id<domain::KeyId>(0).text() + "."}});
}

base::Status keys_changed(Connection& db) {
    return Query(db, "UPDATE counters SET keys_version = keys_version + 1").done();
}

}  // namespace

base::Result<domain::AccountId> account_named(Connection& db, std::string_view account_name) {
    {
        Query query(db, "SELECT id FROM accounts WHERE account_name = ?");
        KN_TRY(found, query.with(account_name).step());
        if (found) {
            return query.id<domain::AccountId>(0);
        }
    }
    const auto id = domain::AccountId::next();
    Query query(db, "INSERT INTO accounts (id, account_name, created_ms) VALUES (?, ?, ?)");
    KN_PASS(query.with(id, account_name, base::now()).done());
    return id;
}

base::Result<domain::ApiKey> create_key(WriteTurn& turn, const NewApiKey& key) {
    KN_TRY(account_id, account_named(turn.db, key.account_name));
    {
        Query query(turn.db, KN_SELECT(kKeyColumns, "WHERE k.hash = ? AND k.revoked_ms IS NULL"));
        KN_TRY(found, query.add_blob(key.hash.data(), key.hash.size()).step());
        if (found) {
            KN_TRY(known, read_key(query));
            if (known.account_id != account_id) {
                return base::fail(
                    base::Errc::parameter_invalid,
                    {{"parameter", "api_key"}, {"reason", "The key belongs to another account."}});
            }
            return known;  // creating the same key again is no change
        }
    }
    KN_PASS(check_not_revoked(turn.db, key.hash));
    domain::ApiKey made;
    made.id = domain::KeyId::next();
    made.account_id = account_id;
    made.account_name = key.account_name;
    made.name = key.name;
    made.hint = key.hint;
    made.hash = key.hash;
    made.created_at = base::now();
    made.expires_at = key.expires_at;
    made.scopes = key.scopes;
    KN_PASS(insert_key(turn.db, made));
    KN_PASS(keys_changed(turn.db));
    return made;
}

base::Result<std::vector<domain::ApiKey>> list_keys(Connection& db) {
    Query query(db, KN_SELECT(kKeyColumns, "ORDER BY k.id"));
    std::vector<domain::ApiKey> keys;
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return keys;
        }
        KN_TRY(key, read_key(query));
        keys.push_back(std::move(key));
    }
}

base::Status revoke_key(WriteTurn& turn, domain::KeyId id) {
    Query query(turn.db, "UPDATE api_keys SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ?");
    KN_PASS(query.with(base::now(), id).done());
    if (rows_changed(turn.db) == 0) {
        return not_exist(id, "api_keys");
    }
    return keys_changed(turn.db);
}

base::Result<domain::ApiKey> rotate_key(WriteTurn& turn, domain::KeyId old,
                                        const KeyRotation& rotation) {
    domain::ApiKey key;
    {
        Query query(turn.db, KN_SELECT(kKeyColumns, "WHERE k.id = ? AND k.revoked_ms IS NULL"));
        KN_TRY(found, query.with(old).step());
        if (!found) {
            return not_exist(old, "api_keys");
        }
        KN_TRY(read, read_key(query));
        key = std::move(read);
    }
    const auto now = base::now();
    if (key.expires_at && *key.expires_at <= now) {
        return base::fail(base::Errc::parameter_invalid,
                          {{"parameter", "id"},
                           {"reason", "The key " + old.text() + " expired at " +
                                          base::rfc3339_seconds(*key.expires_at) + "."}});
    }
    Query ending(
        turn.db,
        "UPDATE api_keys SET expires_ms = min(coalesce(expires_ms, ?1), ?1) WHERE id = ?2");
    KN_PASS(ending.with(rotation.old_ends_at, old).done());
    key.id = domain::KeyId::next();
    key.hint = rotation.hint;
    key.hash = rotation.hash;
    if (!rotation.keeps_lifetime) {
        key.expires_at = rotation.expires_at;
    } else if (key.expires_at) {
        key.expires_at = now + (*key.expires_at - key.created_at);
    }
    key.created_at = now;
    key.last_used_at.reset();
    KN_PASS(insert_key(turn.db, key));
    KN_PASS(keys_changed(turn.db));
    return key;
}

base::Status record_key_uses(WriteTurn& turn, const std::vector<KeyUse>& uses) {
    for (const auto& use : uses) {
        Query query(turn.db,
                    "UPDATE api_keys SET last_used_ms = max(coalesce(last_used_ms, 0), ?) "
                    "WHERE id = ?");
        KN_PASS(query.with(use.used_at, use.id).done());
    }
    return {};
}

base::Result<std::int64_t> keys_version(Connection& db) {
    Query query(db, "SELECT keys_version FROM counters");
    KN_PASS(query.step());
    return query.integer(0);
}

base::Result<domain::Usage> usage_of(Connection& db, domain::AccountId account) {
    Query query(db,
                "SELECT (SELECT total(assets) FROM asset_counts WHERE account_id = ?1), "
                "(SELECT total(bytes) FROM asset_counts WHERE account_id = ?1) + "
                "(SELECT total(total_size_bytes) FROM uploads WHERE account_id = ?1 AND "
                "status = 0), "
                "(SELECT total(total_duration_us) FROM indexes WHERE account_id = ?1), "
                "(SELECT total(duration_sec) FROM indexed_assets INDEXED BY "
                "indexed_assets_unfinished WHERE account_id = ?1 AND status < 3)");
    static_assert(static_cast<int>(domain::IndexingStatus::ready) == 3);
    static_assert(static_cast<int>(domain::UploadStatus::active) == 0);
    KN_PASS(query.with(account).step());
    return domain::Usage{query.integer(0), query.integer(1),
                         query.integer(2) + duration_us(query.real(3))};
}

base::Result<std::vector<domain::AccountUsage>> list_usage(Connection& db) {
    std::vector<domain::AccountUsage> accounts;
    {
        Query query(db, "SELECT id, account_name FROM accounts ORDER BY account_name");
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                break;
            }
            accounts.push_back({query.id<domain::AccountId>(0), std::string(query.text(1)), {}});
        }
    }
    for (auto& each : accounts) {
        KN_TRY(usage, usage_of(db, each.account_id));
        each.usage = usage;
    }
    return accounts;
}

}  // namespace kinodex::store::sqlite
