#include "server/ingest_memory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "base/hex.h"
#include "base/sha256.h"
#include "server/export_folder.h"

namespace kinodex::server {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kNoteBytesMax = 4096;
// A session lives for a week at most, whatever the server's options.
constexpr std::chrono::hours kNoteKept{7 * 24};

std::string variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
    return value == nullptr ? "" : value;
}

/// Source: XDG Base Directory Specification, "Environment variables".
std::string state_folder() {
    const auto state = variable("XDG_STATE_HOME");
    if (state.starts_with('/')) {
        return state;
    }
    const auto home = variable("HOME");
    return home.starts_with('/') ? home + "/.local/state" : "";
}

void remove_old(const std::string& folder) {
    std::error_code ignored;
    for (fs::directory_iterator each(folder, ignored), end; !ignored && each != end;
         each.increment(ignored)) {
        std::error_code error;
        const auto written = each->last_write_time(error);
        if (!error && written < fs::file_time_type::clock::now() - kNoteKept) {
            fs::remove(each->path(), error);
        }
    }
}

}  // namespace

base::Result<UploadMemory> UploadMemory::open(std::string wish) {
    const auto state = state_folder();
    const auto folder = state + "/kinodex/uploads";
    std::error_code error;
    if (!state.empty()) {
        fs::create_directories(folder, error);
    }
    if (state.empty() || error || ::access(folder.c_str(), W_OK | X_OK) != 0) {
        return base::fail(base::Errc::internal, {},
                          "uploads in parts cannot be remembered in " +
                              (state.empty() ? "XDG_STATE_HOME, which is not set" : folder) +
                              ": an interrupted one will begin anew");
    }
    remove_old(folder);
    return UploadMemory(folder, std::move(wish));
}

std::string UploadMemory::note_of(const IngestFile& file) const {
    std::error_code error;
    const auto changed = fs::last_write_time(file.path, error).time_since_epoch().count();
    const auto what =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}", wish_, fs::absolute(file.path, error).string(),
                    file.name, file.size_bytes, changed, file.metadata);
    return folder_ + "/" + base::hex_text(base::sha256(what));
}

std::optional<UploadSession> UploadMemory::find(const IngestFile& file) const {
    const auto text = read_text(note_of(file), kNoteBytesMax);
    boost::system::error_code error;
    const auto value = text ? json::parse(*text, error) : json::value();
    const auto* note = error ? nullptr : value.if_object();
    const auto* upload_id = note == nullptr ? nullptr : note->if_contains("upload_id");
    const auto* asset_id = note == nullptr ? nullptr : note->if_contains("asset_id");
    const auto* chunk_bytes = note == nullptr ? nullptr : note->if_contains("chunk_bytes");
    const auto* chunks = note == nullptr ? nullptr : note->if_contains("chunks");
    if (upload_id == nullptr || !upload_id->is_string() || asset_id == nullptr ||
        !asset_id->is_string() || chunk_bytes == nullptr || !chunk_bytes->is_int64() ||
        chunk_bytes->get_int64() <= 0 || chunks == nullptr || !chunks->is_int64() ||
        chunks->get_int64() <= 0) {
        return std::nullopt;  // none, or one that was cut off while it was written
    }
    return UploadSession{std::string(upload_id->get_string()), std::string(asset_id->get_string()),
                         static_cast<std::uint64_t>(chunk_bytes->get_int64()),
                         static_cast<std::uint64_t>(chunks->get_int64())};
}

base::Status UploadMemory::keep(const IngestFile& file, const UploadSession& session) const {
    forget(file);
    return write_text(note_of(file),
                      json::serialize(json::object{{"upload_id", session.upload_id},
                                                   {"asset_id", session.asset_id},
                                                   {"chunk_bytes", session.chunk_bytes},
                                                   {"chunks", session.chunks}}));
}

void UploadMemory::forget(const IngestFile& file) const {
    std::error_code ignored;
    fs::remove(note_of(file), ignored);
}

}  // namespace kinodex::server
