// The columns of a listing: for each slot everything that a list item shows. A slot is a row
// number; new rows take the next one, removed rows leave a hole until the listing is compacted.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "domain/indexed_asset.h"
#include "store/sqlite/listing_bits.h"
#include "store/sqlite/slot_set.h"

namespace kinodex::store::sqlite {

/// Place of a row in both sort orders together with its time.
struct RowKey {
    std::int64_t ms = 0;
    base::IdBytes id{};
    auto operator<=>(const RowKey&) const = default;
};

/// One row as it enters a listing. Absent values: NaN, -1, kNoTime.
struct ListingRow {
    static constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();
    base::IdBytes id{};
    base::IdBytes asset_id{};
    std::int64_t created_ms = 0;
    std::int64_t updated_ms = 0;
    std::int64_t indexed_ms = kNoTime;
    domain::IndexingStatus status = domain::IndexingStatus::pending;
    double duration_sec = std::numeric_limits<double>::quiet_NaN();
    double fps = std::numeric_limits<double>::quiet_NaN();
    std::int32_t width = -1;
    std::int32_t height = -1;
    std::int64_t size_bytes = -1;
    std::string_view filename;
};

/// The row of `item`; its filename lives as long as the item's.
ListingRow listing_row(const domain::IndexedAsset& item);

struct Columns {
    /// Status of a hole: no filter asks for it.
    static constexpr std::uint8_t kHole = 31;

    std::vector<base::IdBytes> id;
    std::vector<base::IdBytes> asset_id;
    std::vector<std::int64_t> created_ms;
    std::vector<std::int64_t> updated_ms;
    std::vector<std::int64_t> indexed_ms;
    std::vector<std::uint8_t> status;
    std::vector<double> duration_sec;
    std::vector<double> fps;
    std::vector<std::int32_t> width;
    std::vector<std::int32_t> height;
    std::vector<std::int64_t> size_bytes;
    std::vector<std::uint32_t> filename_hash;
    std::vector<std::uint64_t> filename_end;  // in `filenames`; a name starts where the last ended
    std::string filenames;
    std::array<Bits, domain::kIndexingStatusCount> having_status;

    [[nodiscard]] std::size_t size() const { return id.size(); }
    [[nodiscard]] std::size_t bytes() const;  // without the text of the names
    void reserve(std::size_t rows, std::size_t name_bytes);
    Slot append(const ListingRow& row);
    /// The row in `slot`, as it was appended or changed since.
    [[nodiscard]] ListingRow row(Slot slot) const;
    void set_status(Slot slot, domain::IndexingStatus value);
    void make_hole(Slot slot);

    [[nodiscard]] std::string_view filename(Slot slot) const {
        const auto begin = slot == 0 ? 0 : filename_end[slot - 1];
        return std::string_view(filenames).substr(begin, filename_end[slot] - begin);
    }
    [[nodiscard]] RowKey created_key(Slot slot) const { return {created_ms[slot], id[slot]}; }
    [[nodiscard]] RowKey updated_key(Slot slot) const { return {updated_ms[slot], id[slot]}; }
    /// The list item; account, index and user metadata are not known here.
    [[nodiscard]] domain::IndexedAsset item(Slot slot) const;
};

std::uint32_t filename_hash_of(std::string_view filename);

}  // namespace kinodex::store::sqlite
