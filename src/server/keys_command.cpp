// kinodex keys create|list|revoke: on the database itself, also while a server runs.
#include <fmt/format.h>

#include <cstdio>

#include "server/commands.h"
#include "server/data_dir.h"
#include "server/wait_for.h"
#include "service/keys.h"
#include "store/sqlite/sqlite_store.h"

namespace kinodex::server {
namespace {

int complain(const base::Error& error) {
    fmt::print(stderr, "kinodex: {}\n", error.detail.empty() ? "the request failed" : error.detail);
    return 1;
}

int create(store::Store& store, const config::Config& config) {
    const auto key = service::new_key_text();
    auto made = wait_for(store.create_key(
        {config.account, config.key_name, service::key_hint(key), service::hash_key(key)}));
    if (!made) {
        return complain(made.error());
    }
    if (config.quiet) {
        fmt::print("{}\n", key);
    } else {
        fmt::print(
            "API key for account {} (id {}):\n\n    {}\n\nIt is shown only now; the server keeps "
            "its hash.\n",
            made->account_name, made->id.text(), key);
    }
    return 0;
}

int list(store::Store& store) {
    auto keys = wait_for(store.list_keys());
    if (!keys) {
        return complain(keys.error());
    }
    fmt::print("{:<24}  {:<16}  {:<20}  {:<10}  {:<20}  {}\n", "id", "account", "name", "key",
               "created", "state");
    for (const auto& key : *keys) {
        fmt::print("{:<24}  {:<16}  {:<20}  {:<10}  {:<20}  {}\n", key.id.text(), key.account_name,
                   key.name, key.hint + "…", base::rfc3339_seconds(key.created_at),
                   key.revoked_at ? "revoked" : "live");
    }
    return 0;
}

int revoke(store::Store& store, const config::Config& config) {
    const auto id = domain::KeyId::parse(config.key_id);
    if (!id) {
        fmt::print(stderr, "kinodex: '{}' is no key id; see `kinodex keys list`\n", config.key_id);
        return 1;
    }
    auto revoked = wait_for(store.revoke_key(*id));
    if (!revoked) {
        if (revoked.error().code == base::Errc::resource_not_exist) {
            fmt::print(stderr, "kinodex: there is no key {}\n", config.key_id);
            return 1;
        }
        return complain(revoked.error());
    }
    fmt::print("revoked {}\n", config.key_id);
    return 0;
}

}  // namespace

int run_keys(const config::Config& config) {
    auto dir = open_data_dir(config.data_dir, Use::shared);
    if (!dir) {
        return complain(dir.error());
    }
    store::SqliteOptions options;
    options.path = dir->database();
    options.with_listings = false;
    auto store = store::open_sqlite_store(std::move(options));
    if (!store) {
        return complain(store.error());
    }
    int code = 0;
    switch (config.command) {
        case config::Command::keys_create:
            code = create(**store, config);
            break;
        case config::Command::keys_list:
            code = list(**store);
            break;
        case config::Command::keys_revoke:
            code = revoke(**store, config);
            break;
        case config::Command::serve:
        case config::Command::media_zygote:
            code = 2;
            break;
    }
    (*store)->close();
    return code;
}

}  // namespace kinodex::server
