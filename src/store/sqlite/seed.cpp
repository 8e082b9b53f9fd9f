#include "store/sqlite/seed.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "store/sqlite/rows.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

constexpr std::int64_t kFirstMs = 1'704'067'200'000;  // 2024-01-01T00:00:00Z
constexpr std::int64_t kStepMs = 1'000;

/// SplitMix64: each row's numbers follow from the seed and its place alone.
std::uint64_t mix(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15ull;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ull;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBull;
    return value ^ (value >> 31);
}

enum class Purpose : std::uint64_t { asset, indexed_asset, index, fields };

std::uint64_t draw(std::uint64_t seed, Purpose purpose, std::int64_t number) {
    return mix(mix(seed * 4 + static_cast<std::uint64_t>(purpose)) ^
               static_cast<std::uint64_t>(number));
}

base::IdBytes id_at(std::uint64_t seed, Purpose purpose, std::int64_t number) {
    const auto ms = static_cast<std::uint64_t>(kFirstMs + number * kStepMs);
    const auto low = draw(seed, purpose, number);
    base::IdBytes bytes{};
    for (std::size_t i = 0; i < 6; ++i) {
        bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
        bytes[6 + i] = static_cast<std::uint8_t>(low >> (40 - 8 * i));
    }
    return bytes;
}

struct Fields {
    explicit Fields(std::uint64_t bits) : bits_(bits) {}
    std::uint64_t below(std::uint64_t bound) {
        bits_ = mix(bits_);
        return bits_ % bound;
    }

  private:
    std::uint64_t bits_;
};

domain::Asset asset_at(std::uint64_t seed, std::int64_t number, domain::AccountId account) {
    static constexpr std::array<std::string_view, 8> kSubjects{
        "interview", "drone", "lecture", "match", "product", "concert", "street", "archive"};
    struct Size {
        int width;
        int height;
    };
    static constexpr std::array<Size, 4> kSizes{Size{1'280, 720}, Size{1'920, 1'080},
                                                Size{3'840, 2'160}, Size{720, 1'280}};
    Fields fields(draw(seed, Purpose::fields, number));
    domain::Asset asset;
    asset.id = seeded_asset_id(seed, number);
    asset.account_id = account;
    asset.status = domain::AssetStatus::ready;
    asset.type = domain::AssetType::video;
    asset.filename = fmt::format("{}_{:07}_{:03}.mp4", kSubjects[fields.below(kSubjects.size())],
                                 number, fields.below(1'000));
    asset.file_type = "video/mp4";
    asset.created_at = base::Timestamp(std::chrono::milliseconds(kFirstMs + number * kStepMs));
    asset.duration_sec = 4 + static_cast<double>(fields.below(3'996'001)) / 1'000;
    asset.size_bytes = static_cast<std::int64_t>(*asset.duration_sec * 250'000);
    asset.fps = fields.below(2) == 0 ? 25 : 30;
    const auto size = kSizes[fields.below(kSizes.size())];
    asset.width = size.width;
    asset.height = size.height;
    asset.hls = domain::DerivedStatus::ready;
    asset.thumbnail = domain::DerivedStatus::ready;
    asset.technical_metadata = fmt::format(
        R"({{"container":"mov,mp4","bitrate":2000000,"video":{{"codec":"h264","profile":"High",)"
        R"("width":{},"height":{},"pixel_format":"yuv420p"}},)"
        R"("audio":{{"codec":"aac","channels":2,"sample_rate":48000}}}})",
        size.width, size.height);
    asset.user_metadata = {{"source", std::string("seed")}};
    return asset;
}

domain::IndexedAsset indexed_at(std::uint64_t seed, std::int64_t number, domain::IndexId index,
                                const domain::Asset& asset) {
    Fields fields(draw(seed, Purpose::indexed_asset, number));
    domain::IndexedAsset item;
    item.id = domain::IndexedAssetId(id_at(seed, Purpose::indexed_asset, number));
    item.index_id = index;
    item.account_id = asset.account_id;
    item.asset_id = asset.id;
    item.status = domain::IndexingStatus::ready;
    item.created_at = asset.created_at;
    item.updated_at = asset.created_at + std::chrono::milliseconds(fields.below(3'600'000));
    item.indexed_at = item.updated_at;
    item.system_metadata = {asset.filename, asset.duration_sec, asset.fps,
                            asset.width,    asset.height,       asset.size_bytes};
    item.user_metadata = {{"category", fmt::format("category-{}", fields.below(10))},
                          {"batchNumber", static_cast<std::int64_t>(fields.below(1'000))},
                          {"rating", static_cast<double>(fields.below(51)) / 10}};
    return item;
}

base::Result<Seeded> insert_rows(Connection& db, const SeedOptions& options) {
    Seeded seeded;
    KN_TRY(account_id, account_named(db, options.account_name));
    seeded.account_id = account_id;
    seeded.index_id = domain::IndexId(id_at(options.seed, Purpose::index, 0));
    WriteTurn turn{db, {}};
    domain::Index index;
    index.id = seeded.index_id;
    index.account_id = account_id;
    index.index_name = options.index_name;
    index.models = {{"marengo3.0", {"visual", "audio"}}};
    index.created_at = base::Timestamp(std::chrono::milliseconds(kFirstMs));
    index.updated_at = index.created_at;
    KN_PASS(insert_index(turn, index));
    std::int64_t total_us = 0;
    for (std::int64_t number = 0; number < options.assets; ++number) {
        const auto asset = asset_at(options.seed, number, account_id);
        KN_PASS(insert_asset(turn, asset, {}));
        KN_PASS(insert_indexed_row(db, indexed_at(options.seed, number, index.id, asset)));
        total_us += duration_us(asset.duration_sec);
    }
    Query query(db, "UPDATE indexes SET video_count = ?, total_duration_us = ? WHERE id = ?");
    KN_PASS(query.with(options.assets, total_us, index.id).done());
    return seeded;
}

}  // namespace

domain::AssetId seeded_asset_id(std::uint64_t seed, std::int64_t number) {
    return domain::AssetId(id_at(seed, Purpose::asset, number));
}

base::Result<Seeded> seed_database(const SeedOptions& options) {
    KN_TRY(db, Connection::open(options.path, Connection::Mode::write));
    KN_PASS(migrate(*db));
    // Nothing is lost by an unsynced write here: a seed that did not finish is made again.
    KN_PASS(db->run("PRAGMA synchronous=OFF; PRAGMA cache_size=-262144; BEGIN IMMEDIATE"));
    KN_TRY(seeded, insert_rows(*db, options));
    KN_PASS(db->run("COMMIT; PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)"));
    return seeded;
}

}  // namespace kinodex::store::sqlite
