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
enum class ColumnKind {
    id,
    text,
    integer,
    real,
    word,
    asset_ids,  // an entity's reference images in their order; they have rows of their own
};

/// The words of an enum, by number and back.
struct Words {
    std::string_view (*name_of)(std::int64_t number);
    std::optional<std::int64_t> (*number_of)(std::string_view name);
};

/// What ids of a column are of: a row of the same account, or none where they may dangle.
struct Owner {
    std::string_view table;
    bool may_be_gone = false;
};

struct TransferColumn {
    std::string_view name;
    ColumnKind kind = ColumnKind::text;
    const Words* words = nullptr;
    const Owner* owner = nullptr;
    std::string_view sql = {};  // what is read of table t where it is not the column itself
};

struct TransferTable {
    std::string_view kind;                    // and name of the table
    std::span<const TransferColumn> columns;  // the first is the id
    /// Conditions on rows of table t: parameters ?1 account, ?2 index. A plus keeps SQLite from an
    /// index that it would have to sort by row anew for every thousand lines.
    std::string_view of_account;
    std::string_view of_index;
    bool keeps_folded_name = false;  // `name_folded` follows from `name`
    std::string_view counter = {};   // a column that begins at 0 wherever the row comes to
};

std::span<const TransferTable> transfer_tables();
const TransferTable* transfer_table(std::string_view kind);

/// "t.id, t.status, …": what `line_of` reads, from column `from` on.
std::string column_list(const TransferTable& table);
base::Result<std::string> line_of(Connection& db, const TransferTable& table, const Query& query,
                                  int from);

using TransferIds = std::vector<base::IdBytes>;
using TransferValue =
    std::variant<std::monostate, std::int64_t, double, std::string, base::IdBytes, TransferIds>;
/// The values of a line in the order of the columns. A column that the line lacks is nullopt: an
/// older program wrote it. Errors: parameter_invalid with a reason.
base::Result<std::vector<std::optional<TransferValue>>> values_of(const TransferTable& table,
                                                                  std::string_view line);
/// Why a line is not taken: parameter_invalid.
std::unexpected<base::Error> refuse_line(const TransferTable& table, std::string reason);

}  // namespace kinodex::store::sqlite
