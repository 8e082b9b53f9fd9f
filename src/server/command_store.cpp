#include "server/command_store.h"

#include <fmt/format.h>

#include <cstdio>

#include "server/data_dir.h"
#include "store/sqlite/sqlite_store.h"

namespace kinodex::server {

int complain(const base::Error& error) {
    const std::string reason(error.value("reason"));
    fmt::print(stderr, "kinodex: {}\n",
               !error.detail.empty() ? error.detail
               : !reason.empty()     ? reason
                                     : "the request failed");
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
