#include "server/ingest_metadata.h"

#include <csv.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <vector>

#include "domain/metadata.h"
#include "server/export_folder.h"

namespace kinodex::server {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kSidecarBytesMax = 512 * 1024;

std::unexpected<base::Error> refuse(std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", "metadata"}, {"reason", std::move(reason)}});
}

/// The rows of a table, as the parser hands them out.
struct Rows {
    std::vector<std::vector<std::string>> all;
    std::vector<std::string> row;

    static void take_field(void* text, std::size_t size, void* rows) {
        static_cast<Rows*>(rows)->row.emplace_back(static_cast<const char*>(text), size);
    }
    static void take_row(int, void* rows) {
        auto& self = *static_cast<Rows*>(rows);
        self.all.push_back(std::exchange(self.row, {}));
    }
};

base::Result<std::vector<std::vector<std::string>>> parse_rows(std::string_view csv) {
    csv_parser parser{};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        return refuse("the table cannot be read");
    }
    Rows rows;
    const auto used =
        csv_parse(&parser, csv.data(), csv.size(), &Rows::take_field, &Rows::take_row, &rows);
    const bool whole =
        used == csv.size() && csv_fini(&parser, &Rows::take_field, &Rows::take_row, &rows) == 0;
    csv_free(&parser);
    if (!whole) {
        return refuse(fmt::format("row {} of the table is broken", rows.all.size() + 1));
    }
    return std::move(rows.all);
}

/// As the server writes it, with a decimal place at least.
std::string decimal_text(double value) {
    auto text = fmt::format("{}", value);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

/// A cell is a number when the number is written just like it. An article number 00712, a version
/// 1.10 and what no number can hold would not come back as they were, so they are text.
json::value typed(const std::string& cell) {
    if (cell == "true" || cell == "false") {
        return cell == "true";
    }
    const auto* end = cell.data() + cell.size();
    std::int64_t whole = 0;
    if (const auto [stop, error] = std::from_chars(cell.data(), end, whole);
        error == std::errc() && stop == end && fmt::format("{}", whole) == cell) {
        return whole;
    }
    double decimal = 0;
    if (const auto [stop, error] = std::from_chars(cell.data(), end, decimal);
        error == std::errc() && stop == end && std::isfinite(decimal) && cell != "-0.0" &&
        decimal_text(decimal) == cell) {
        return decimal;
    }
    return json::string(cell);
}

/// Spreadsheets begin UTF-8 with a byte order mark.
std::string_view without_mark(std::string_view text) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

base::Status check_header(const std::vector<std::string>& keys) {
    std::set<std::string> seen;
    for (const auto& key : keys) {
        if (!seen.insert(key).second) {
            return refuse(fmt::format("the table has two columns `{}`", key));
        }
    }
    return seen.contains("path") ? base::Status{} : refuse("the table has no column `path`");
}

/// Refused here, before anything is sent, by the rules of the server.
base::Status check(const std::string& object) {
    KN_TRY(change, domain::parse_metadata_change(object, domain::MetadataMode::merge));
    KN_PASS(domain::apply_change({}, change));
    return {};
}

}  // namespace

base::Result<MetadataByPath> parse_metadata_table(std::string_view csv) {
    KN_TRY(rows, parse_rows(without_mark(csv)));
    if (rows.empty()) {
        return refuse("the table is empty");
    }
    const auto& keys = rows.front();
    KN_PASS(check_header(keys));
    const auto path_column = std::ranges::find(keys, "path") - keys.begin();
    MetadataByPath by_path;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto& row = rows[i];
        if (row.size() != keys.size()) {
            return refuse(fmt::format("row {} of the table has {} cells, not {}", i + 1, row.size(),
                                      keys.size()));
        }
        json::object object;
        for (std::size_t column = 0; column < row.size(); ++column) {
            if (std::cmp_not_equal(column, path_column) && !row[column].empty()) {
                object.emplace(keys[column], typed(row[column]));
            }
        }
        auto text = json::serialize(object);
        if (auto status = check(text); !status) {
            return refuse(
                fmt::format("row {} of the table: {}", i + 1, status.error().value("reason")));
        }
        const auto& path = row[static_cast<std::size_t>(path_column)];
        if (!by_path.emplace(fs::path(path).lexically_normal().string(), std::move(text)).second) {
            return refuse(fmt::format("row {} of the table names {} again", i + 1, path));
        }
    }
    return by_path;
}

base::Result<std::string> sidecar_metadata(const std::string& file_path) {
    for (const auto& path :
         {file_path + ".json", fs::path(file_path).replace_extension(".json").string()}) {
        std::error_code error;
        if (path == file_path || !fs::is_regular_file(path, error)) {
            continue;
        }
        KN_TRY(text, read_text(path, kSidecarBytesMax));
        std::string object(without_mark(text));
        if (auto status = check(object); !status) {
            return refuse(path + ": " + std::string(status.error().value("reason")));
        }
        return object;
    }
    return std::string();
}

}  // namespace kinodex::server
