// Putting numbers into bytes and taking them out again, with bounds.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace kinodex::media::plan {

using Bytes = std::vector<std::byte>;

template <class T>
void put(Bytes& out, T value, std::endian order) {
    using U = std::make_unsigned_t<T>;
    const auto bits = static_cast<U>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        const std::size_t at = order == std::endian::little ? i : sizeof(T) - 1 - i;
        out.push_back(
            static_cast<std::byte>((static_cast<std::uint64_t>(bits) >> (8 * at)) & 0xFF));
    }
}

/// Plans are little endian, ISO media boxes big endian.
template <class T>
void put_le(Bytes& out, T value) {
    put(out, value, std::endian::little);
}
template <class T>
void put_be(Bytes& out, T value) {
    put(out, value, std::endian::big);
}

inline void put_text(Bytes& out, std::string_view text) {
    for (const char c : text) {
        out.push_back(static_cast<std::byte>(c));
    }
}

/// Takes numbers from the front of a span. Reading past the end gives zeros and clears `ok`, so a
/// parser reads a whole structure and asks once.
class Taker {
  public:
    explicit Taker(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <class T>
    T le() {
        return take<T>(std::endian::little);
    }
    template <class T>
    T be() {
        return take<T>(std::endian::big);
    }
    std::span<const std::byte> bytes(std::size_t count) {
        if (count > bytes_.size()) {
            ok_ = false;
            bytes_ = {};
            return {};
        }
        const auto front = bytes_.first(count);
        bytes_ = bytes_.subspan(count);
        return front;
    }
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t left() const { return bytes_.size(); }

  private:
    template <class T>
    T take(std::endian order) {
        std::uint64_t value = 0;
        const auto raw = bytes(sizeof(T));
        for (std::size_t i = 0; i < raw.size() && i < sizeof(T); ++i) {
            const std::size_t at = order == std::endian::little ? i : sizeof(T) - 1 - i;
            value |= std::to_integer<std::uint64_t>(raw[i]) << (8 * at);
        }
        return static_cast<T>(value);
    }

    std::span<const std::byte> bytes_;
    bool ok_ = true;
};

}  // namespace kinodex::media::plan
