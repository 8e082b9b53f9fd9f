#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

constexpr std::string_view kKeyColumns =
    "k.id, k.account_id, a.account_name, k.name, k.hint, k.hash, k.created_ms, k.revoked_ms "
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
    return key;
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
    domain::ApiKey made{
        domain::KeyId::next(), account_id,  key.account_name, key.name, key.hint, key.hash,
        base::now(),           std::nullopt};
    Query query(turn.db,
                "INSERT INTO api_keys (id, account_id, name, hint, hash, created_ms) "
                "VALUES (?, ?, ?, ?, ?, ?)");
    query.with(made.id, made.account_id, std::string_view(made.name), std::string_view(made.hint));
    KN_PASS(query.add_blob(made.hash.data(), made.hash.size()).add(made.created_at).done());
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

base::Result<std::int64_t> keys_version(Connection& db) {
    Query query(db, "SELECT keys_version FROM counters");
    KN_PASS(query.step());
    return query.integer(0);
}

}  // namespace kinodex::store::sqlite
