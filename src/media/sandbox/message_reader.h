// Strict reading of one JSON message: the first thing that is wrong is remembered, and the whole
// message is then refused. Used by messages.cpp alone.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kinodex::media {

inline constexpr std::size_t kErrorTextBytesMax = 1024;

/// Lowercase words with underscores, at most 64 bytes.
bool is_name(std::string_view text);
/// "video/mp4": printable ASCII that is safe in a header. Source: RFC 6838, section 4.2.
bool is_mime(std::string_view text);
/// FFmpeg's names: letters, digits, and `_,.-` between them; may be empty.
bool is_ascii_word_list(std::string_view text);
/// `text` without control characters and invalid UTF-8 (each becomes '?'), cut to `bytes_max`.
std::string printable_text(std::string_view text, std::size_t bytes_max);
/// A JSON object of bounded depth; nullopt for anything else, invalid UTF-8 included.
std::optional<boost::json::object> parse_object(std::string_view text);

/// Reads members of one object. Wrong or missing members give a zero value and mark `failure`.
class Reader {
  public:
    Reader(const boost::json::object& object, std::string& failure)
        : object_(&object), failure_(&failure) {}

    void check(bool holds, std::string_view what);
    [[nodiscard]] bool has(std::string_view key) const { return object_->contains(key); }
    std::string text(std::string_view key, std::size_t bytes_max);
    std::string printable(std::string_view value, std::size_t bytes_max);
    bool boolean(std::string_view key);
    std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);
    std::uint64_t id(std::string_view key);
    double number(std::string_view key, double least, double most);
    std::optional<double> optional_number(std::string_view key, double least, double most);
    std::optional<std::int64_t> optional_integer(std::string_view key, std::int64_t least,
                                                 std::int64_t most);
    /// The position of the text in `names`.
    std::size_t one_of(std::string_view key, std::span<const std::string_view> names);
    const boost::json::object& object(std::string_view key);
    Reader inner(std::string_view key) { return {object(key), *failure_}; }
    const boost::json::array& array(std::string_view key, std::size_t count_max);

    /// An array of exactly `count` values.
    const boost::json::array& tuple(const boost::json::value& value, std::size_t count);
    std::int64_t integer_value(const boost::json::value& value, std::int64_t least,
                               std::int64_t most);
    double number_value(const boost::json::value& value, double least, double most);

  private:
    const boost::json::value& member(std::string_view key);
    const boost::json::object* object_;
    std::string* failure_;
};

/// Parses `text` and lets `read` take it apart. Errors: internal with the first thing found wrong.
template <class T, class Read>
base::Result<T> read_message(std::string_view text, Read read) {
    const auto object = parse_object(text);
    if (!object) {
        return base::fail(base::Errc::internal, {}, "message is not a JSON object");
    }
    std::string failure;
    T value = read(Reader(*object, failure));
    if (!failure.empty()) {
        return base::fail(base::Errc::internal, {}, "message: " + failure);
    }
    return value;
}

}  // namespace kinodex::media
