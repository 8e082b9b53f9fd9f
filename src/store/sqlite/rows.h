// Rows to domain values and back: the column lists, and the functions that read them in that order.
#pragma once

#include <string>
#include <string_view>

#include "store/sqlite/connection.h"
#include "store/store.h"

namespace kinodex::store::sqlite {

inline constexpr std::string_view kAssetColumns =
    "id, account_id, status, method, type, filename, file_type, created_ms, size_bytes, "
    "duration_sec, fps, width, height, hls, thumbnail, error_message, user_metadata, "
    "technical_metadata, source_url";
base::Result<domain::Asset> read_asset(const Query& query);

inline constexpr std::string_view kIndexColumns =
    "id, account_id, index_name, models, addons, created_ms, updated_ms, video_count, "
    "total_duration_us";
base::Result<domain::Index> read_index(const Query& query);

inline constexpr std::string_view kIndexedAssetColumns =
    "id, index_id, account_id, asset_id, status, created_ms, updated_ms, indexed_ms, filename, "
    "duration_sec, fps, width, height, size_bytes, user_metadata, stream, stream_updated_ms, "
    "error_message";
base::Result<domain::IndexedAsset> read_indexed_asset(const Query& query);

std::string models_text(const std::vector<domain::IndexModel>& models);
std::string addons_text(const std::vector<std::string>& addons);
/// Bit 0 visual, bit 1 audio; nullopt for a word that no index can have.
std::optional<std::int64_t> model_option_bit(std::string_view option);
std::int64_t model_option_bits(const std::vector<domain::IndexModel>& models);
std::int64_t model_family_bits(const std::vector<domain::IndexModel>& models);
std::int64_t duration_us(std::optional<double> duration_sec);

std::unexpected<base::Error> not_exist(const std::string& resource_id,
                                       std::string_view collection_name);
template <class Tag>
std::unexpected<base::Error> not_exist(const base::Id<Tag>& id, std::string_view collection_name) {
    return not_exist(id.text(), collection_name);
}

/// SELECT with a column list from above; the text is made once.
#define KN_SELECT(columns, rest)                                                    \
    []() -> std::string_view {                                                      \
        static const std::string sql = "SELECT " + std::string(columns) + " " rest; \
        return sql;                                                                 \
    }()

}  // namespace kinodex::store::sqlite
