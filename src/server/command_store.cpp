#include "server/command_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/utf8.h"
#include "server/data_dir.h"
#include "store/sqlite/sqlite_store.h"

namespace kinodex::server {

std::string shown(std::string_view text) {
    constexpr unsigned char kDelete = 0x7f;
    std::string plain;
    for (std::size_t at = 0; at < text.size();) {
        const auto length = std::max<std::size_t>(base::utf8_sequence(text.substr(at)), 1);
        const auto first = static_cast<unsigned char>(text[at]);
        const auto last = static_cast<unsigned char>(text[at + length - 1]);
        // The second row of them, U+0080 to U+009F, has two bytes, of which the first is C2.
        const bool is_control =
            length == 1 ? first < ' ' || first >= kDelete : first == 0xc2 && last < 0xa0;
        for (std::size_t i = at; i < at + length; ++i) {
            if (is_control) {
                plain += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
            } else {
                plain += text[i];
            }
        }
        at += length;
    }
    return plain;
}

std::string reason_of(const base::Error& error) {
    const std::string reason(error.value("reason"));
    return !error.detail.empty() ? error.detail : !reason.empty() ? reason : "the request failed";
}

int complain(const base::Error& error) {
    fmt::print(stderr, "kinodex: {}\n", shown(reason_of(error)));
    return 1;
}

namespace {

int run_on(const DataDir& dir, const std::function<int(store::Store&)>& work) {
    store::SqliteOptions options;
    options.path = dir.database();
    options.with_listings = false;
    auto store = store::open_sqlite_store(std::move(options));
    if (!store) {
        return complain(store.error());
    }
    const int code = work(**store);
    (*store)->close();
    return code;
}

}  // namespace

int with_store(const config::Config& config, const std::function<int(store::Store&)>& work) {
    auto dir = open_data_dir(config.data_dir, Use::existing);
    return dir ? run_on(*dir, work) : complain(dir.error());
}

int with_new_store(const config::Config& config, const std::function<int(store::Store&)>& work) {
    auto dir = open_data_dir(config.data_dir, Use::existing);
    if (dir) {
        return run_on(*dir, work);
    }
    dir = open_data_dir(config.data_dir, Use::shared);
    if (!dir) {
        return complain(dir.error());
    }
    fmt::print(stderr, "kinodex: made a new database in {}\n", dir->path);
    return run_on(*dir, work);
}

}  // namespace kinodex::server
