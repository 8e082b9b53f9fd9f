#include "store/sqlite/transfer_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "domain/names.h"

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
                                             {"index_id", id},
                                             {"asset_id", id},
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

constexpr TransferTable kTables[] = {
    {"indexes", kIndexes, "t.account_id = ?1", "t.account_id = ?1 AND t.id = ?2"},
    {"assets", kAssets, "t.account_id = ?1",
     "t.account_id = ?1 AND t.id IN (SELECT asset_id FROM indexed_assets WHERE index_id = ?2)"},
    // A row whose index is gone does not exist for anybody.
    {"indexed_assets", kIndexedAssets,
     "t.account_id = ?1 AND t.index_id IN (SELECT id FROM indexes)",
     "t.account_id = ?1 AND t.index_id = ?2"},
};

std::unexpected<base::Error> refuse(const TransferTable& table, std::string_view column,
                                    std::string_view problem) {
    return base::fail(
        base::Errc::parameter_invalid,
        {{"parameter", std::string(table.kind)},
         {"reason", fmt::format("a line of {}: `{}` {}", table.kind, column, problem)}});
}

json::value value_of(const TransferColumn& column, const Query& query, int at) {
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
    }
    return nullptr;
}

base::Result<TransferValue> read_value(const TransferTable& table, const TransferColumn& column,
                                       const json::value& value) {
    if (value.is_null()) {
        return TransferValue{};
    }
    const auto* string = value.if_string();
    switch (column.kind) {
        case id: {
            const auto bytes = string == nullptr ? std::nullopt : base::parse_id_bytes(*string);
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
        list.append(list.empty() ? "" : ", ").append(column.name);
    }
    return list;
}

std::string line_of(const TransferTable& table, const Query& query, int from) {
    json::object line;
    for (const auto& column : table.columns) {
        line.emplace(column.name, value_of(column, query, from++));
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

}  // namespace kinodex::store::sqlite
