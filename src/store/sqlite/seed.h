// Fills a database with many plausible rows, fast: for benchmarks and load tests.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "domain/ids.h"

namespace kinodex::store::sqlite {

struct SeedOptions {
    std::string path;          // of the database; made when it is missing
    std::string account_name;  // made when it is not there yet
    std::string index_name;    // must be new in the account
    std::int64_t assets = 0;   // ready assets, and as many ready indexed assets in one index
    std::uint64_t seed = 1;    // the same seed gives the same rows and ids
};

struct Seeded {
    domain::AccountId account_id;
    domain::IndexId index_id;
};

/// Writes all rows in one transaction; no server may have the database open. Metadata of an
/// indexed asset: category (10 values), batchNumber (integer, 1,000 values), rating (float, 0.0 to
/// 5.0 in tenths). Durations are 4 to 4,000 s, and rows are one second apart.
base::Result<Seeded> seed_database(const SeedOptions& options);
/// The id of the `number`th asset, from 0, made with `seed`.
domain::AssetId seeded_asset_id(std::uint64_t seed, std::int64_t number);

}  // namespace kinodex::store::sqlite
