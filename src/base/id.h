// Ids: 24 lowercase hex digits, time-ordered, one distinct type per kind of thing.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kinodex::base {

/// 12 bytes: 48 bits of milliseconds since 1970, then 48 bits that start at random each
/// millisecond and count up, so ids of one process are strictly increasing.
using IdBytes = std::array<std::uint8_t, 12>;

/// A new id, greater than every earlier one of this process. Thread-safe.
IdBytes next_id_bytes();
std::string id_text(const IdBytes& bytes);
/// Only 24 lowercase hex digits are an id.
std::optional<IdBytes> parse_id_bytes(std::string_view text);

template <class Tag>
class Id {
  public:
    Id() = default;
    explicit Id(const IdBytes& bytes) : bytes_(bytes) {}
    static Id next() { return Id(next_id_bytes()); }
    static std::optional<Id> parse(std::string_view text) {
        auto bytes = parse_id_bytes(text);
        return bytes ? std::optional(Id(*bytes)) : std::nullopt;
    }
    [[nodiscard]] const IdBytes& bytes() const { return bytes_; }
    [[nodiscard]] std::string text() const { return id_text(bytes_); }
    auto operator<=>(const Id&) const = default;

  private:
    IdBytes bytes_{};
};

}  // namespace kinodex::base
