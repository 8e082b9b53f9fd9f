// kn_bench_files: how many small files a second a loop makes durable: a batch of files written and
// synced, then their rows in one commit of SQLite, and so on. The peer of the ingest row.
//
//     kn_bench_files --source FOLDER --target NEW_FOLDER --batch 8
//
// Neither HTTP nor a look at what the files are, and no folder is synced.
// Prints {"files":N,"seconds":S}.
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Row {
    std::string name;
    std::int64_t size_bytes;
};

class Database {
  public:
    explicit Database(const std::string& path) {
        check(sqlite3_open(path.c_str(), &db_));
        run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE files (name TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL)");
        check(sqlite3_prepare_v2(db_, "INSERT INTO files VALUES (?, ?)", -1, &insert_, nullptr));
    }
    ~Database() {
        sqlite3_finalize(insert_);
        sqlite3_close(db_);
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void add(const std::vector<Row>& rows) {
        run("BEGIN IMMEDIATE");
        for (const auto& row : rows) {
            sqlite3_bind_text(insert_, 1, row.name.c_str(), -1, SQLITE_STATIC);
            sqlite3_bind_int64(insert_, 2, row.size_bytes);
            const int code = sqlite3_step(insert_);
            sqlite3_reset(insert_);
            check(code == SQLITE_DONE ? SQLITE_OK : code);
        }
        run("COMMIT");
    }

  private:
    void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
    void check(int code) {
        if (code != SQLITE_OK) {
            throw std::runtime_error(db_ == nullptr ? "no memory" : sqlite3_errmsg(db_));
        }
    }

    sqlite3* db_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
};

void write_durably(const fs::path& path, const std::string& bytes) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == std::ssize(bytes) && ::fsync(fd) == 0;
    if (fd >= 0) {
        ::close(fd);
    }
    if (!written) {
        throw std::runtime_error("cannot write " + path.string());
    }
}

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& each : fs::directory_iterator(folder)) {
        files.push_back(each.path());
    }
    std::ranges::sort(files);
    return files;
}

Row copy_durably(const fs::path& file, const fs::path& target) {
    std::ifstream source(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(source), {}};
    const auto name = file.filename().string();
    write_durably(target / name, bytes);
    return {name, std::ssize(bytes)};
}

void copy_all(Database& db, const std::vector<fs::path>& files, const fs::path& target,
              std::size_t batch) {
    std::vector<Row> rows;
    for (std::size_t at = 0; at < files.size(); ++at) {
        rows.push_back(copy_durably(files[at], target));
        if (rows.size() == batch || at + 1 == files.size()) {
            db.add(rows);
            rows.clear();
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::string source;
    std::string target;
    std::size_t batch = 8;
    CLI::App app{"Durable small files a second, with rows in SQLite"};
    app.add_option("--source", source)->required()->check(CLI::ExistingDirectory);
    app.add_option("--target", target)->required()->check(CLI::NonexistentPath);
    app.add_option("--batch", batch)->check(CLI::Range(1, 1'000));
    CLI11_PARSE(app, argc, argv);
    try {
        fs::create_directories(target);
        const auto files = files_in(source);
        Database db(target + "/files.db");
        const auto start = Clock::now();
        copy_all(db, files, target, batch);
        const double took = std::chrono::duration<double>(Clock::now() - start).count();
        fmt::print("{{\"files\":{},\"seconds\":{:.3f}}}\n", files.size(), took);
    } catch (const std::exception& problem) {
        fmt::print(stderr, "kn_bench_files: {}\n", problem.what());
        return 1;
    }
    return 0;
}
