#include "server/export_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <span>

#include "base/hex.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "objects/directory/file_ops.h"
#include "server/media_copy.h"

namespace kinodex::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kNoteBytesMax = 64 * 1024;
constexpr std::size_t kSumsBytesMax = 4UL * 1024 * 1024 * 1024;

bool stays_inside(const std::string& path) {
    const std::filesystem::path whole(path);
    const auto plain = whole.lexically_normal();
    return !path.empty() && whole.is_relative() && plain == whole && *plain.begin() != "..";
}

}  // namespace

std::unexpected<base::Error> refuse_export(std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", "export"}, {"reason", std::move(reason)}});
}

std::string note_json(const ExportNote& note) {
    json::object rows;
    for (const auto& [kind, count] : note.rows) {
        rows.emplace(kind, count);
    }
    json::value index = nullptr;
    if (!note.index_id.empty()) {
        index = json::string(note.index_id);
    }
    return json::serialize(json::object{{"format", kExportFormat},
                                        {"kinodex", KN_VERSION},
                                        {"exported_at", base::rfc3339_seconds(base::now())},
                                        {"account", note.account_name},
                                        {"index", std::move(index)},
                                        {"rows", std::move(rows)},
                                        {"objects", note.objects},
                                        {"bytes", note.bytes}}) +
           "\n";
}

base::Result<ExportNote> read_note(const std::string& folder) {
    const auto path = folder + "/export.json";
    KN_TRY(text, read_text(path, kNoteBytesMax));
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    const auto* note = error ? nullptr : value.if_object();
    const auto* format = note == nullptr ? nullptr : note->if_contains("format");
    const auto* account = note == nullptr ? nullptr : note->if_contains("account");
    const auto* rows = note == nullptr ? nullptr : note->if_contains("rows");
    const auto* objects = note == nullptr ? nullptr : note->if_contains("objects");
    if (format == nullptr || account == nullptr || !account->is_string() || rows == nullptr ||
        !rows->is_object() || objects == nullptr || !objects->is_int64()) {
        return refuse_export(path + " does not describe an export");
    }
    if (*format != kExportFormat) {
        return refuse_export(path + " has a format that this program does not know");
    }
    ExportNote read;
    read.account_name = account->get_string();
    read.objects = objects->get_int64();
    for (const auto& [kind, count] : rows->get_object()) {
        if (!count.is_int64()) {
            return refuse_export(path + " does not describe an export");
        }
        read.rows[std::string(kind)] = count.get_int64();
    }
    return read;
}

std::string sums_text(const Sums& sums) {
    std::string text;
    for (const auto& [path, digest] : sums) {
        text += base::hex_text(digest) + "  " + path + "\n";
    }
    return text;
}

base::Result<Sums> read_sums(const std::string& folder) {
    const auto path = folder + "/SHA256SUMS";
    KN_TRY(text, read_text(path, kSumsBytesMax));
    Sums sums;
    std::string_view rest = text;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        constexpr std::size_t kNameAt = 66;  // 64 digits and two spaces
        base::Digest digest{};
        const std::string name(line.size() > kNameAt ? line.substr(kNameAt) : "");
        if (!base::parse_hex(line.substr(0, 64), digest) || line.substr(64, 2) != "  " ||
            !stays_inside(name)) {
            return refuse_export(fmt::format("{} has a line that is none: {}", path, line));
        }
        sums[name] = digest;
    }
    return sums;
}

base::Status write_text(const std::string& path, const std::string& text) {
    const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) {
        return objects::io_fail("create", path, errno);
    }
    return objects::write_all(fd.get(), std::as_bytes(std::span(text)), path);
}

base::Result<std::string> read_text(const std::string& path, std::size_t limit_bytes) {
    // Nobody writes into a pipe that is taken for a file.
    const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status{};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        return objects::io_fail("open", path, errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return refuse_export(path + " is no regular file");
    }
    if (std::cmp_greater(status.st_size, limit_bytes)) {
        return refuse_export(fmt::format("{} is larger than {} bytes", path, limit_bytes));
    }
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    KN_PASS(objects::read_exactly(fd.get(), 0, std::as_writable_bytes(std::span(text)), path));
    return text;
}

}  // namespace kinodex::server
