#include "store/sqlite/listing_columns.h"

#include <cmath>
#include <functional>

namespace kinodex::store::sqlite {
namespace {

std::optional<double> known(double value) {
    return std::isnan(value) ? std::nullopt : std::optional(value);
}

template <class Int>
std::optional<Int> known(Int value) {
    return value < 0 ? std::nullopt : std::optional(value);
}

base::Timestamp time_of(std::int64_t ms) {
    return base::Timestamp(std::chrono::milliseconds(ms));
}

}  // namespace

ListingRow listing_row(const domain::IndexedAsset& item) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    const auto& system = item.system_metadata;
    ListingRow row;
    row.id = item.id.bytes();
    row.asset_id = item.asset_id.bytes();
    row.created_ms = item.created_at.time_since_epoch().count();
    row.updated_ms = item.updated_at.time_since_epoch().count();
    row.indexed_ms =
        item.indexed_at ? item.indexed_at->time_since_epoch().count() : ListingRow::kNoTime;
    row.status = item.status;
    row.duration_sec = system.duration_sec.value_or(kNone);
    row.fps = system.fps.value_or(kNone);
    row.width = system.width.value_or(-1);
    row.height = system.height.value_or(-1);
    row.size_bytes = system.size_bytes.value_or(-1);
    row.filename = system.filename;
    return row;
}

std::uint32_t filename_hash_of(std::string_view filename) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(filename));
}

std::size_t Columns::bytes() const {
    const auto of = [](const auto& column) {
        return column.capacity() * sizeof(typename std::decay_t<decltype(column)>::value_type);
    };
    std::size_t sum = of(id) + of(asset_id) + of(created_ms) + of(updated_ms) + of(indexed_ms) +
                      of(status) + of(duration_sec) + of(fps) + of(width) + of(height) +
                      of(size_bytes) + of(filename_hash) + of(filename_end);
    for (const auto& bits : having_status) {
        sum += bits.bytes();
    }
    return sum;
}

void Columns::reserve(std::size_t rows, std::size_t name_bytes) {
    id.reserve(rows);
    asset_id.reserve(rows);
    created_ms.reserve(rows);
    updated_ms.reserve(rows);
    indexed_ms.reserve(rows);
    status.reserve(rows);
    duration_sec.reserve(rows);
    fps.reserve(rows);
    width.reserve(rows);
    height.reserve(rows);
    size_bytes.reserve(rows);
    filename_hash.reserve(rows);
    filename_end.reserve(rows);
    filenames.reserve(name_bytes);
}

Slot Columns::append(const ListingRow& row) {
    const auto slot = static_cast<Slot>(size());
    id.push_back(row.id);
    asset_id.push_back(row.asset_id);
    created_ms.push_back(row.created_ms);
    updated_ms.push_back(row.updated_ms);
    indexed_ms.push_back(row.indexed_ms);
    status.push_back(static_cast<std::uint8_t>(row.status));
    duration_sec.push_back(row.duration_sec);
    fps.push_back(row.fps);
    width.push_back(row.width);
    height.push_back(row.height);
    size_bytes.push_back(row.size_bytes);
    filename_hash.push_back(filename_hash_of(row.filename));
    filenames.append(row.filename);
    filename_end.push_back(filenames.size());
    having_status[static_cast<std::size_t>(row.status)].set(slot);
    return slot;
}

ListingRow Columns::row(Slot slot) const {
    ListingRow row;
    row.id = id[slot];
    row.asset_id = asset_id[slot];
    row.created_ms = created_ms[slot];
    row.updated_ms = updated_ms[slot];
    row.indexed_ms = indexed_ms[slot];
    row.status = static_cast<domain::IndexingStatus>(status[slot]);
    row.duration_sec = duration_sec[slot];
    row.fps = fps[slot];
    row.width = width[slot];
    row.height = height[slot];
    row.size_bytes = size_bytes[slot];
    row.filename = filename(slot);
    return row;
}

void Columns::set_status(Slot slot, domain::IndexingStatus value) {
    having_status[status[slot]].clear(slot);
    status[slot] = static_cast<std::uint8_t>(value);
    having_status[status[slot]].set(slot);
}

void Columns::make_hole(Slot slot) {
    having_status[status[slot]].clear(slot);
    status[slot] = kHole;
}

domain::IndexedAsset Columns::item(Slot slot) const {
    domain::IndexedAsset item;
    item.id = domain::IndexedAssetId(id[slot]);
    item.asset_id = domain::AssetId(asset_id[slot]);
    item.status = static_cast<domain::IndexingStatus>(status[slot]);
    item.created_at = time_of(created_ms[slot]);
    item.updated_at = time_of(updated_ms[slot]);
    if (indexed_ms[slot] != ListingRow::kNoTime) {
        item.indexed_at = time_of(indexed_ms[slot]);
    }
    item.system_metadata.filename = filename(slot);
    item.system_metadata.duration_sec = known(duration_sec[slot]);
    item.system_metadata.fps = known(fps[slot]);
    item.system_metadata.width = known(width[slot]);
    item.system_metadata.height = known(height[slot]);
    item.system_metadata.size_bytes = known(size_bytes[slot]);
    return item;
}

}  // namespace kinodex::store::sqlite
