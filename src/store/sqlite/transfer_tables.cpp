#include "store/sqlite/transfer_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "domain/names.h"
#include "store/sqlite/entities.h"

namespace kinodex::store::sqlite {
namespace {

namespace json = boost::json;
using enum ColumnKind;

template <class Enum>
constexpr Words kWords{
    [](std::int64_t number) { return domain::name_of(static_cast<Enum>(number)); },
    [](std::string_view name) -> std::optional<std::int64_t> {
        const auto value = domain::from_name<Enum>(name);
        return value ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
    }};

constexpr Owner kIndex{"indexes"};
constexpr Owner kPastIndex{"indexes", true};
constexpr Owner kAsset{"assets"};
constexpr Owner kPastAsset{"assets", true};
constexpr Owner kPastVideo{"indexed_assets", true};
constexpr Owner kCollection{"entity_collections"};

constexpr TransferColumn kIndexes[] = {{"id", id},
                                       {"index_name"},
                                       {"models"},
                                       {"model_options", integer},
                                       {"model_families", integer},
                                       {"addons"},
                                       {"created_ms", integer},
                                       {"updated_ms", integer},
                                       {"video_count", integer},
                                       {"total_duration_us", integer}};
constexpr TransferColumn kAssets[] = {{"id", id},
                                      {"status", word, &kWords<domain::AssetStatus>},
                                      {"method", word, &kWords<domain::AssetMethod>},
                                      {"type", word, &kWords<domain::AssetType>},
                                      {"filename"},
                                      {"file_type"},
                                      {"created_ms", integer},
                                      {"size_bytes", integer},
                                      {"duration_sec", real},
                                      {"fps", real},
                                      {"width", integer},
                                      {"height", integer},
                                      {"hls", word, &kWords<domain::DerivedStatus>},
                                      {"thumbnail", word, &kWords<domain::DerivedStatus>},
                                      {"error_message"},
                                      {"user_metadata"},
                                      {"technical_metadata"},
                                      {"source_url"}};
constexpr TransferColumn kIndexedAssets[] = {{"id", id},
                                             {"index_id", id, nullptr, &kIndex},
                                             {"asset_id", id, nullptr, &kPastAsset},
                                             {"status", word, &kWords<domain::IndexingStatus>},
                                             {"created_ms", integer},
                                             {"updated_ms", integer},
                                             {"indexed_ms", integer},
                                             {"filename"},
                                             {"duration_sec", real},
                                             {"fps", real},
                                             {"width", integer},
                                             {"height", integer},
                                             {"size_bytes", integer},
                                             {"user_metadata"},
                                             {"stream", word, &kWords<domain::StreamStatus>},
                                             {"stream_updated_ms", integer},
                                             {"error_message"}};

// What is still in work without a video has lost it with an index whose rows are being deleted, and
// is about to fail.
constexpr std::string_view kTaskStatus =
    "CASE WHEN t.status < 5 AND NOT EXISTS (SELECT 1 FROM indexed_assets v WHERE v.id = t.video_id "
    "AND v.index_id IN (SELECT id FROM indexes)) THEN 6 ELSE t.status END";
constexpr std::string_view kTaskError =
    "CASE WHEN t.status < 5 AND NOT EXISTS (SELECT 1 FROM indexed_assets v WHERE v.id = t.video_id "
    "AND v.index_id IN (SELECT id FROM indexes)) "
    "THEN 'The video was deleted before it was indexed.' ELSE t.error_message END";
static_assert(static_cast<int>(domain::TaskStatus::ready) == 5);
static_assert(static_cast<int>(domain::TaskStatus::failed) == 6);
constexpr TransferColumn kTasks[] = {
    {"id", id},
    {"index_id", id, nullptr, &kPastIndex},
    {"asset_id", id, nullptr, &kPastAsset},
    {"video_id", id, nullptr, &kPastVideo},
    {"status", word, &kWords<domain::TaskStatus>, nullptr, kTaskStatus},
    {"created_ms", integer},
    {"updated_ms", integer},
    {"filename"},
    {"duration_sec", real},
    {"width", integer},
    {"height", integer},
    {"error_message", text, nullptr, nullptr, kTaskError}};
constexpr TransferColumn kCollections[] = {
    {"id", id}, {"name"}, {"description"}, {"created_ms", integer}, {"updated_ms", integer}};
constexpr TransferColumn kEntities[] = {{"id", id},
                                        {"entity_collection_id", id, nullptr, &kCollection},
                                        {"name"},
                                        {"description"},
                                        {"metadata"},
                                        {"status", word, &kWords<domain::EntityStatus>},
                                        {"error_message"},
                                        {"created_ms", integer},
                                        {"updated_ms", integer},
                                        {"asset_ids", asset_ids, nullptr, &kAsset, "t.id"}};

// A row whose index or collection is gone does not exist for anybody.
constexpr TransferTable kTables[] = {
    {"indexes", kIndexes, "+t.account_id = ?1", "t.account_id = ?1 AND t.id = ?2"},
    {"assets", kAssets, "+t.account_id = ?1",
     "+t.account_id = ?1 AND +t.id IN (SELECT asset_id FROM indexed_assets WHERE index_id = ?2)"},
    {"indexed_assets", kIndexedAssets,
     "+t.account_id = ?1 AND +t.index_id IN (SELECT id FROM indexes)",
     "t.account_id = ?1 AND t.index_id = ?2"},
    {"tasks", kTasks, "+t.account_id = ?1", "+t.account_id = ?1 AND t.index_id = ?2"},
    // Known to the account, whatever its indexes hold.
    {"entity_collections", kCollections, "+t.account_id = ?1", "FALSE", true},
    {"entities", kEntities,
     "+t.account_id = ?1 AND +t.entity_collection_id IN (SELECT id FROM entity_collections)",
     "FALSE", true, "revision"},
};

std::unexpected<base::Error> refuse(const TransferTable& table, std::string_view column,
                                    std::string_view problem) {
    return refuse_line(table, fmt::format("a line of {}: `{}` {}", table.kind, column, problem));
}

base::Result<json::value> value_of(Connection& db, const TransferColumn& column, const Query& query,
                                   int at) {
    if (query.is_null(at)) {
        return nullptr;
    }
    switch (column.kind) {
        case id:
            return json::string(base::id_text(query.id_bytes(at)));
        case text:
            return json::string(query.text(at));
        case integer:
            return query.integer(at);
        case real:
            return query.real(at);
        case word:
            return json::string(column.words->name_of(query.integer(at)));
        case asset_ids: {
            KN_TRY(ids, asset_ids_of(db, query.id<domain::EntityId>(at)));
            json::array texts;
            for (const auto& each : ids) {
                texts.emplace_back(each.text());
            }
            return texts;
        }
    }
    return nullptr;
}

std::optional<base::IdBytes> id_of(const json::value& value) {
    const auto* string = value.if_string();
    return string == nullptr ? std::nullopt : base::parse_id_bytes(*string);
}

base::Result<TransferValue> read_ids(const TransferTable& table, const TransferColumn& column,
                                     const json::value& value) {
    const auto* array = value.if_array();
    if (array == nullptr || array->size() > domain::kEntityAssetsMax) {
        return refuse(table, column.name,
                      fmt::format("is no list of up to {} ids", domain::kEntityAssetsMax));
    }
    TransferIds ids;
    for (const auto& each : *array) {
        const auto bytes = id_of(each);
        if (!bytes || std::ranges::find(ids, *bytes) != ids.end()) {
            return refuse(table, column.name, "holds what is no id, or one twice");
        }
        ids.push_back(*bytes);
    }
    return ids;
}

base::Result<TransferValue> read_value(const TransferTable& table, const TransferColumn& column,
                                       const json::value& value) {
    if (column.kind == asset_ids) {
        return read_ids(table, column, value);
    }
    if (value.is_null()) {
        return TransferValue{};
    }
    const auto* string = value.if_string();
    switch (column.kind) {
        case id: {
            const auto bytes = id_of(value);
            return bytes ? base::Result<TransferValue>(*bytes)
                         : refuse(table, column.name, "is no id");
        }
        case text:
            return string != nullptr ? base::Result<TransferValue>(std::string(*string))
                                     : refuse(table, column.name, "is no text");
        case integer:
            return value.is_int64() ? base::Result<TransferValue>(value.get_int64())
                                    : refuse(table, column.name, "is no integer");
        case real:
            return value.is_number() ? base::Result<TransferValue>(value.to_number<double>())
                                     : refuse(table, column.name, "is no number");
        case word: {
            const auto number = string == nullptr ? std::nullopt : column.words->number_of(*string);
            return number ? base::Result<TransferValue>(*number)
                          : refuse(table, column.name, "has an unknown value");
        }
        case asset_ids:
            break;
    }
    return TransferValue{};
}

}  // namespace

std::span<const TransferTable> transfer_tables() {
    return kTables;
}

const TransferTable* transfer_table(std::string_view kind) {
    const auto found = std::ranges::find(kTables, kind, &TransferTable::kind);
    return found == std::end(kTables) ? nullptr : found;
}

std::string column_list(const TransferTable& table) {
    std::string list;
    for (const auto& column : table.columns) {
        list.append(list.empty() ? "" : ", ");
        list += column.sql.empty() ? "t." + std::string(column.name) : std::string(column.sql);
    }
    return list;
}

base::Result<std::string> line_of(Connection& db, const TransferTable& table, const Query& query,
                                  int from) {
    json::object line;
    for (const auto& column : table.columns) {
        KN_TRY(value, value_of(db, column, query, from++));
        line.emplace(column.name, std::move(value));
    }
    return json::serialize(line);
}

base::Result<std::vector<std::optional<TransferValue>>> values_of(const TransferTable& table,
                                                                  std::string_view line) {
    boost::system::error_code error;
    const auto parsed = json::parse(line, error);
    const auto* object = error ? nullptr : parsed.if_object();
    if (object == nullptr) {
        return refuse(table, line.substr(0, 40), "is no JSON object");
    }
    for (const auto& member : *object) {
        const bool known = std::ranges::any_of(
            table.columns, [&](const auto& column) { return column.name == member.key(); });
        if (!known) {
            return refuse(table, member.key(), "is not known: a newer kinodex wrote it");
        }
    }
    std::vector<std::optional<TransferValue>> values;
    for (const auto& column : table.columns) {
        const auto* value = object->if_contains(column.name);
        if (value == nullptr) {
            values.emplace_back();
            continue;
        }
        KN_TRY(read, read_value(table, column, *value));
        values.emplace_back(std::move(read));
    }
    return values;
}

std::unexpected<base::Error> refuse_line(const TransferTable& table, std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", std::string(table.kind)}, {"reason", std::move(reason)}});
}

}  // namespace kinodex::store::sqlite
