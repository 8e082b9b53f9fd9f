#include "server/source_check.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <utility>

#include "server/export_folder.h"

namespace kinodex::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kListedMax = 1000;

}  // namespace

base::Result<std::optional<ExpectedSource>> expected_source(const std::string& line) {
    boost::system::error_code error;
    const auto value = json::parse(line, error);
    const auto* row = error ? nullptr : value.if_object();
    const auto* id = row == nullptr ? nullptr : row->if_contains("id");
    if (id == nullptr || !id->is_string()) {
        return refuse_export("a line of assets is none: " + line.substr(0, 100));
    }
    const auto* status = row->if_contains("status");
    if (status == nullptr || *status != "ready") {
        return std::nullopt;
    }
    ExpectedSource expected{"assets/" + std::string(id->get_string()) + "/source", std::nullopt};
    const auto* size = row->if_contains("size_bytes");
    if (size != nullptr && size->is_int64()) {
        expected.size_bytes = size->get_int64();
    }
    return expected;
}

void SourceCheck::look(const ExpectedSource& expected, std::optional<std::uint64_t> found_bytes) {
    const bool is_right =
        found_bytes && (!expected.size_bytes || std::cmp_equal(*found_bytes, *expected.size_bytes));
    if (is_right) {
        return;
    }
    ++count_;
    if (lines_.size() < kListedMax) {
        lines_.push_back(found_bytes ? fmt::format("{}: {} bytes instead of {}", expected.key,
                                                   *found_bytes, *expected.size_bytes)
                                     : expected.key + ": there is none");
    }
}

int SourceCheck::report() const {
    for (const auto& line : lines_) {
        fmt::print(stderr, "damaged: {}\n", line);
    }
    if (count_ > lines_.size()) {
        fmt::print(stderr, "damaged: {} more\n", count_ - lines_.size());
    }
    if (count_ > 0) {
        fmt::print(stderr,
                   "kinodex: the files of {} ready assets are not what their rows say; all else is "
                   "copied\n",
                   count_);
    }
    return count_ == 0 ? 0 : 1;
}

}  // namespace kinodex::server
