// kinodex keys create|list|rotate|revoke: on the database itself, also while a server runs.
#include <fmt/format.h>

#include <cstdio>

#include "server/command_store.h"
#include "server/commands.h"
#include "server/wait_for.h"
#include "service/keys.h"

namespace kinodex::server {
namespace {

std::string ends_text(const domain::ApiKey& key) {
    return key.expires_at ? base::rfc3339_seconds(*key.expires_at) : "never";
}

void print_new(const domain::ApiKey& made, const std::string& key, bool quiet) {
    if (quiet) {
        fmt::print("{}\n", key);
        return;
    }
    fmt::print(
        "API key for account {} (id {}, may {}, ends {}):\n\n    {}\n\nIt is shown only now; the "
        "server keeps its hash.\n",
        made.account_name, made.id.text(), made.scopes.text(), ends_text(made), key);
}

/// When a new key ends: unset for never, which nothing and `never` say. Errors: one that is not
/// in the future.
base::Result<std::optional<base::Timestamp>> end_of(const std::string& words) {
    if (words.empty() || words == "never") {
        return std::nullopt;
    }
    const auto now = base::now();
    const auto duration = config::parse_duration(words);
    const auto end = duration ? now + *duration : base::parse_rfc3339(words);
    if (!end || *end <= now) {
        return base::fail(base::Errc::parameter_invalid, {{"parameter", "expires"}},
                          "--expires: " + words + " is not in the future");
    }
    return end;
}

int create(store::Store& store, const config::Config& config) {
    const auto scopes = domain::Scopes::parse(config.key_scopes);
    if (!scopes) {
        fmt::print(stderr, "kinodex: --scopes takes one or more of read, write, admin\n");
        return 1;
    }
    auto named = service::check_key_name("account", config.account);
    if (named && !config.key_name.empty()) {
        named = service::check_key_name("name", config.key_name);
    }
    if (!named) {
        return complain(named.error());
    }
    store::NewApiKey wanted;
    wanted.account_name = config.account;
    wanted.name = config.key_name;
    wanted.scopes = *scopes;
    const auto end = end_of(config.key_expires);
    if (!end) {
        return complain(end.error());
    }
    wanted.expires_at = *end;
    const auto key = service::new_key_text();
    wanted.hint = service::key_hint(key);
    wanted.hash = service::hash_key(key);
    auto made = wait_for(store.create_key(std::move(wanted)));
    if (!made) {
        return complain(made.error());
    }
    print_new(*made, key, config.quiet);
    return 0;
}

std::string state_of(const domain::ApiKey& key) {
    if (key.revoked_at) {
        return "revoked";
    }
    return key.expires_at && *key.expires_at <= base::now() ? "expired" : "live";
}

int complain_about_id(const config::Config& config) {
    fmt::print(stderr, "kinodex: '{}' is no key id; see `kinodex keys list`\n", config.key_id);
    return 1;
}

int rotate(store::Store& store, const config::Config& config) {
    const auto id = domain::KeyId::parse(config.key_id);
    if (!id) {
        return complain_about_id(config);
    }
    const auto key = service::new_key_text();
    const auto end = end_of(config.key_expires);
    if (!end) {
        return complain(end.error());
    }
    store::KeyRotation rotation;
    rotation.hint = service::key_hint(key);
    rotation.hash = service::hash_key(key);
    rotation.old_ends_at = base::now() + *config::parse_duration(config.key_grace);
    rotation.keeps_lifetime = config.key_expires.empty();
    rotation.expires_at = *end;
    auto made = wait_for(store.rotate_key(*id, std::move(rotation)));
    if (!made) {
        if (made.error().code == base::Errc::resource_not_exist) {
            fmt::print(stderr, "kinodex: there is no live key {}\n", config.key_id);
            return 1;
        }
        return complain(made.error());
    }
    print_new(*made, key, config.quiet);
    return 0;
}

int list(store::Store& store) {
    auto keys = wait_for(store.list_keys());
    if (!keys) {
        return complain(keys.error());
    }
    constexpr auto kRow = "{:<24}  {:<16}  {:<20}  {:<10}  {:<16}  {:<20}  {:<20}  {:<20}  {}\n";
    fmt::print(kRow, "id", "account", "name", "key", "scopes", "created", "ends", "last used",
               "state");
    for (const auto& key : *keys) {
        fmt::print(kRow, key.id.text(), key.account_name, key.name, key.hint + "…",
                   key.scopes.text(), base::rfc3339_seconds(key.created_at), ends_text(key),
                   key.last_used_at ? base::rfc3339_seconds(*key.last_used_at) : "never",
                   state_of(key));
    }
    return 0;
}

int revoke(store::Store& store, const config::Config& config) {
    const auto id = domain::KeyId::parse(config.key_id);
    if (!id) {
        return complain_about_id(config);
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
    const auto on_store = [&config](int (*work)(store::Store&, const config::Config&)) {
        return with_store(config, [&](store::Store& store) { return work(store, config); });
    };
    switch (config.command) {
        case config::Command::keys_create:  // maybe before the server's first start
            return with_new_store(config,
                                  [&](store::Store& store) { return create(store, config); });
        case config::Command::keys_list:
            return on_store([](store::Store& store, const config::Config&) { return list(store); });
        case config::Command::keys_revoke:
            return on_store(revoke);
        case config::Command::keys_rotate:
            return on_store(rotate);
        default:
            return 2;
    }
}

}  // namespace kinodex::server
