// kn_seed_store: fills a database with ready assets and indexed assets for benchmarks.
//
//     kn_seed_store --database data/kinodex.db --rows 1000000 [--account NAME] [--index NAME]
//                   [--seed N]
//
// Prints one JSON line with the account, the index, and the first and last asset.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "store/sqlite/seed.h"

int main(int argc, char** argv) {
    using namespace kinodex::store::sqlite;
    SeedOptions options{"", "default", "seeded", 1'000, 1};
    CLI::App app{"Fills a Kinodex database with rows for benchmarks"};
    app.add_option("--database", options.path, "database file")->required();
    app.add_option("--account", options.account_name, "account that gets the rows");
    app.add_option("--index", options.index_name, "name of the new index");
    constexpr std::int64_t kRowsMax = 100'000'000;
    app.add_option("--rows", options.assets, "assets, and indexed assets")
        ->check(CLI::Range(std::int64_t{1}, kRowsMax));
    app.add_option("--seed", options.seed, "the same seed gives the same rows");
    CLI11_PARSE(app, argc, argv);
    const auto seeded = seed_database(options);
    if (!seeded) {
        fmt::print(stderr, "kn_seed_store: {} ({}:{})\n", seeded.error().detail,
                   seeded.error().where.file_name(), seeded.error().where.line());
        return 1;
    }
    fmt::print(
        "{{\"account_id\":\"{}\",\"index_id\":\"{}\",\"first_asset_id\":\"{}\","
        "\"last_asset_id\":\"{}\"}}\n",
        seeded->account_id.text(), seeded->index_id.text(), seeded_asset_id(options.seed, 0).text(),
        seeded_asset_id(options.seed, options.assets - 1).text());
    return 0;
}
