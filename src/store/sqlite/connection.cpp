#include "store/sqlite/connection.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "store/sqlite/text_fold.h"

namespace kinodex::store::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5'000;

// The page cache is the connection's own; 16 MiB holds the upper levels of every tree of a
// database with a million rows, and mmap gives the leaves without a copy.
constexpr const char* kPragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF;"
    "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864;"
    "PRAGMA cache_size=-16384; PRAGMA mmap_size=4294967296; PRAGMA temp_store=MEMORY;";

/// contains_folded(text, folded_part): the SQL form of the function in text_fold.h.
void contains_folded_sql(sqlite3_context* context, int, sqlite3_value** values) {
    const auto text_of = [](sqlite3_value* value) {
        const auto* data = static_cast<const char*>(sqlite3_value_blob(value));
        return std::string_view(data == nullptr ? "" : data,
                                static_cast<std::size_t>(sqlite3_value_bytes(value)));
    };
    sqlite3_result_int(context, contains_folded(text_of(values[0]), text_of(values[1])) ? 1 : 0);
}

/// SQLite counts the memory it holds under one lock of the process, which each look-up would take
/// twenty times. Nobody asks for the count.
void stop_counting_memory() {
    static std::once_flag once;
    std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

}  // namespace

base::Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode) {
    stop_counting_memory();
    sqlite3* db = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                      (mode == Mode::write ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
    if (db == nullptr) {
        return base::fail(base::Errc::internal, {}, "no memory to open the database");
    }
    std::unique_ptr<Connection> connection(new Connection(db));
    if (code != SQLITE_OK) {
        return connection->failure(code, fmt::format("open the database {}", path));
    }
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, kBusyTimeoutMs);
    KN_PASS(connection->run(kPragmas));
    const int made = sqlite3_create_function_v2(
        db, "contains_folded", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
        &contains_folded_sql, nullptr, nullptr, nullptr);
    if (made != SQLITE_OK) {
        return connection->failure(made, "define contains_folded");
    }
    return connection;
}

Connection::~Connection() {
    for (const auto& [sql, statement] : statements_) {
        sqlite3_finalize(statement);
    }
    sqlite3_close(db_);
}

base::Status Connection::run(const char* sql) {
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return failure(code, sql);
    }
    return {};
}

sqlite3_stmt* Connection::prepared(std::string_view sql) {
    if (const auto found = statements_.find(sql); found != statements_.end()) {
        return found->second;
    }
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
        sqlite3_finalize(statement);
        return nullptr;
    }
    statements_.emplace(std::string(sql), statement);
    return statement;
}

std::unexpected<base::Error> Connection::failure(int code, std::string_view doing) const {
    const int saved_errno = sqlite3_system_errno(db_);
    auto detail =
        fmt::format("{}: {} (code {}, errno {})", doing, sqlite3_errmsg(db_), code, saved_errno);
    const int primary = code & 0xff;
    if (primary == SQLITE_FULL ||
        (primary == SQLITE_IOERR && (saved_errno == ENOSPC || saved_errno == EDQUOT))) {
        return base::fail(base::Errc::storage_full, {}, std::move(detail));
    }
    if (primary == SQLITE_BUSY) {
        return base::fail(base::Errc::overloaded, {{"queue", "database"}}, std::move(detail));
    }
    return base::fail(base::Errc::internal, {}, std::move(detail));
}

Query::Query(Connection& connection, std::string_view sql)
    : connection_(connection), statement_(connection.prepared(sql)) {}

Query::~Query() {
    if (statement_ != nullptr) {
        sqlite3_reset(statement_);
    }
}

Query& Query::add(std::int64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, value);
    return *this;
}

Query& Query::add(double value) {
    sqlite3_bind_double(statement_, ++bound_, value);
    return *this;
}

Query& Query::add(std::string_view text) {
    // An empty view may have no address, which SQLite would take for NULL.
    sqlite3_bind_text64(statement_, ++bound_, text.data() == nullptr ? "" : text.data(),
                        text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}

Query& Query::add_blob(const void* data, std::size_t size) {
    sqlite3_bind_blob64(statement_, ++bound_, data, size, SQLITE_STATIC);
    return *this;
}

Query& Query::add_id(const base::IdBytes& bytes) {
    if (ids_bound_ < ids_.size()) {
        ids_[ids_bound_] = bytes;
        return add_blob(ids_[ids_bound_++].data(), bytes.size());
    }
    sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    return *this;
}

Query& Query::add_null() {
    sqlite3_bind_null(statement_, ++bound_);
    return *this;
}

base::Result<bool> Query::step() {
    if (statement_ == nullptr) {
        return connection_.failure(SQLITE_ERROR, "prepare");
    }
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        return false;
    }
    return connection_.failure(code, sqlite3_sql(statement_));
}

base::Status Query::done() {
    while (true) {
        KN_TRY(row, step());
        if (!row) {
            return {};
        }
    }
}

std::string_view Query::text(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const int size = sqlite3_column_bytes(statement_, column);
    return data == nullptr ? std::string_view{}
                           : std::string_view(data, static_cast<std::size_t>(size));
}

base::IdBytes Query::id_bytes(int column) const {
    base::IdBytes bytes{};
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    if (data != nullptr && size == static_cast<int>(bytes.size())) {
        std::memcpy(bytes.data(), data, bytes.size());
    }
    return bytes;
}

}  // namespace kinodex::store::sqlite
