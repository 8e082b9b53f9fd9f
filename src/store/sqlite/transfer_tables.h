// The tables that export and import know, column by column, and their rows as JSON lines.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "store/sqlite/connection.h"

namespace kinodex::store::sqlite {

/// How a column stands in a line. Metadata is the text that the store keeps, as a JSON string, so
/// that it comes back to the byte.
enum class ColumnKind { id, text, integer, real, word };

/// The words of an enum, by number and back.
struct Words {
    std::string_view (*name_of)(std::int64_t number);
    std::optional<std::int64_t> (*number_of)(std::string_view name);
};

struct TransferColumn {
    std::string_view name;
    ColumnKind kind = ColumnKind::text;
    const Words* words = nullptr;
};

struct TransferTable {
    std::string_view kind;                    // and name of the table
    std::span<const TransferColumn> columns;  // the first is the id
    /// Conditions on rows of table t: parameters ?1 account, ?2 index.
    std::string_view of_account;
    std::string_view of_index;
    bool has_account = true;  // has a column account_id
};

std::span<const TransferTable> transfer_tables();
const TransferTable* transfer_table(std::string_view kind);

/// "id, status, …": what `line_of` reads, from column `from` on.
std::string column_list(const TransferTable& table);
std::string line_of(const TransferTable& table, const Query& query, int from);

/// One value to bind.
using TransferValue =
    std::variant<std::monostate, std::int64_t, double, std::string, base::IdBytes>;
/// The values of a line in the order of the columns. A column that the line lacks is nullopt: an
/// older program wrote it. Errors: parameter_invalid with a reason.
base::Result<std::vector<std::optional<TransferValue>>> values_of(const TransferTable& table,
                                                                  std::string_view line);

}  // namespace kinodex::store::sqlite
