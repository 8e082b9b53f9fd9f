// One SQLite connection with its prepared statements, and Query, one run of a statement.
//
// A connection belongs to one thread at a time. Statements are prepared once per connection and
// kept; a Query borrows one and gives it back, reset, when it dies. Errors of SQLite become
// base::Error here and nowhere else.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"

namespace kinodex::store::sqlite {

class Connection {
  public:
    enum class Mode { read, write };

    /// Opens `path` in WAL mode with synchronous=FULL; `write` makes the file when it is missing.
    /// Errors: internal (detail says why), storage_full.
    static base::Result<std::unique_ptr<Connection>> open(const std::string& path, Mode mode);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Runs statements that give no rows. Not cached: for pragmas and the schema.
    base::Status run(const char* sql);
    /// The cached statement, prepared when new; nullptr when it does not compile.
    sqlite3_stmt* prepared(std::string_view sql);
    /// The error SQLite has just reported on this connection, as ours.
    [[nodiscard]] std::unexpected<base::Error> failure(int code, std::string_view doing) const;
    [[nodiscard]] sqlite3* handle() const { return db_; }

  private:
    explicit Connection(sqlite3* db) : db_(db) {}
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    sqlite3* db_;
    std::unordered_map<std::string, sqlite3_stmt*, TextHash, std::equal_to<>> statements_;
};

/// One run of a statement. Binding and reading count from 0; reads are valid until the next step.
class Query {
  public:
    Query(Connection& connection, std::string_view sql);
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    Query& add(std::int64_t value);
    Query& add(int value) { return add(static_cast<std::int64_t>(value)); }
    Query& add(double value);
    /// Text and blobs must live until the last step.
    Query& add(std::string_view text);
    Query& add_blob(const void* data, std::size_t size);
    Query& add_null();
    /// Ids are copied: callers often pass them by value.
    template <class Tag>
    Query& add(const base::Id<Tag>& id) {
        return add_id(id.bytes());
    }
    Query& add_id(const base::IdBytes& bytes);
    Query& add(base::Timestamp time) { return add(time.time_since_epoch().count()); }
    template <class T>
    Query& add(const std::optional<T>& value) {
        return value ? add(*value) : add_null();
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    Query& add(Enum value) {
        return add(static_cast<std::int64_t>(value));
    }
    template <class... Values>
    Query& with(const Values&... values) {
        (add(values), ...);
        return *this;
    }

    /// True when there is a row to read.
    base::Result<bool> step();
    /// Runs to the end; for statements whose rows do not matter.
    base::Status done();

    [[nodiscard]] bool is_null(int column) const {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }
    [[nodiscard]] std::int64_t integer(int column) const {
        return sqlite3_column_int64(statement_, column);
    }
    [[nodiscard]] double real(int column) const {
        return sqlite3_column_double(statement_, column);
    }
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] base::IdBytes id_bytes(int column) const;
    template <class Id>
    [[nodiscard]] Id id(int column) const {
        return Id(id_bytes(column));
    }
    template <class Enum>
    [[nodiscard]] Enum word(int column) const {
        return static_cast<Enum>(integer(column));
    }
    [[nodiscard]] base::Timestamp time(int column) const {
        return base::Timestamp(std::chrono::milliseconds(integer(column)));
    }
    [[nodiscard]] std::optional<base::Timestamp> maybe_time(int column) const {
        return is_null(column) ? std::nullopt : std::optional(time(column));
    }
    [[nodiscard]] std::optional<double> maybe_real(int column) const {
        return is_null(column) ? std::nullopt : std::optional(real(column));
    }
    template <class Int>
    [[nodiscard]] std::optional<Int> maybe_integer(int column) const {
        return is_null(column) ? std::nullopt : std::optional(static_cast<Int>(integer(column)));
    }

  private:
    Connection& connection_;
    sqlite3_stmt* statement_;
    int bound_ = 0;
    std::array<base::IdBytes, 4> ids_{};  // saves SQLite's own copy for the first few
    std::size_t ids_bound_ = 0;
};

}  // namespace kinodex::store::sqlite
