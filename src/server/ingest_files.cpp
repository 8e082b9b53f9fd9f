#include "server/ingest_files.h"

#include <algorithm>
#include <filesystem>

namespace kinodex::server {
namespace {

namespace fs = std::filesystem;

class Walk {
  public:
    Walk(fs::path folder, fs::path table) : folder_(std::move(folder)), table_(std::move(table)) {}

    base::Result<IngestFiles> run() {
        if (auto error = look_into(folder_)) {
            return base::fail(
                base::Errc::parameter_invalid,
                {{"parameter", "folder"},
                 {"reason", folder_.string() + " cannot be read: " + error.message()}});
        }
        while (!pending_.empty()) {
            const auto next = std::move(pending_.back());
            pending_.pop_back();
            if (auto error = look_into(next)) {
                note(next, error);
            }
        }
        std::ranges::sort(found_.files, {}, &IngestFile::name);
        return std::move(found_);
    }

  private:
    std::error_code look_into(const fs::path& folder) {
        std::error_code error;
        for (fs::directory_iterator each(folder, error), end; !error && each != end;
             each.increment(error)) {
            if (!each->path().filename().string().starts_with('.')) {
                take(*each);
            }
        }
        return error;
    }

    void take(const fs::directory_entry& entry) {
        const auto& path = entry.path();
        std::error_code error;
        const bool is_link = entry.is_symlink(error);
        const auto type = entry.status(error).type();
        if (error) {  // also a symlink to nothing, or to itself
            return note(path, error);
        }
        if (type == fs::file_type::directory) {
            if (!is_link) {
                pending_.push_back(path);
            }
            return;
        }
        if (type != fs::file_type::regular || path.extension() == ".json" || is_table(path)) {
            return;
        }
        const auto size_bytes = entry.file_size(error);
        if (error) {
            return note(path, error);
        }
        found_.files.push_back({path.string(), name_of(path), size_bytes, {}});
    }

    [[nodiscard]] bool is_table(const fs::path& path) const {
        std::error_code error;
        return !table_.empty() && path.filename() == table_.filename() &&
               fs::equivalent(path, table_, error);
    }

    [[nodiscard]] std::string name_of(const fs::path& path) const {
        return path.lexically_relative(folder_).string();
    }

    void note(const fs::path& path, const std::error_code& error) {
        found_.unreadable.push_back({name_of(path), "it cannot be read: " + error.message()});
    }

    fs::path folder_;
    fs::path table_;
    std::vector<fs::path> pending_;
    IngestFiles found_;
};

}  // namespace

base::Result<IngestFiles> files_below(const std::string& folder, const std::string& table_path) {
    return Walk(folder, table_path).run();
}

}  // namespace kinodex::server
