// A set of slots as one bit each, 64 to a word.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kinodex::store::sqlite {

class Bits {
  public:
    static constexpr std::size_t kWordBits = 64;

    Bits() = default;
    explicit Bits(std::size_t size) : words_((size + kWordBits - 1) / kWordBits) {}

    [[nodiscard]] bool test(std::size_t at) const {
        return (words_[at / kWordBits] >> (at % kWordBits) & 1) != 0;
    }
    void set(std::size_t at) {
        if (at / kWordBits >= words_.size()) {
            words_.resize(at / kWordBits + 1);
        }
        words_[at / kWordBits] |= std::uint64_t{1} << (at % kWordBits);
    }
    void clear(std::size_t at) {
        if (at / kWordBits < words_.size()) {
            words_[at / kWordBits] &= ~(std::uint64_t{1} << (at % kWordBits));
        }
    }
    /// Adds the bits of `other`, of which this holds at least as many.
    void add(const Bits& other) {
        const auto count = std::min(words_.size(), other.words_.size());
        for (std::size_t i = 0; i < count; ++i) {
            words_[i] |= other.words_[i];
        }
    }
    [[nodiscard]] std::size_t count() const {
        std::size_t sum = 0;
        for (const auto word : words_) {
            sum += static_cast<std::size_t>(std::popcount(word));
        }
        return sum;
    }
    template <class Visit>
    void for_each(const Visit& visit) const {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            for (auto word = words_[i]; word != 0; word &= word - 1) {
                visit(i * kWordBits + static_cast<std::size_t>(std::countr_zero(word)));
            }
        }
    }
    /// Calls visit(slot) for `wanted` bits after the first `skip`, forwards or backwards.
    template <class Visit>
    void slice(bool backwards, std::size_t skip, std::size_t wanted, const Visit& visit) const {
        for (std::size_t i = 0; i < words_.size() && wanted > 0; ++i) {
            const auto at = backwards ? words_.size() - 1 - i : i;
            auto word = words_[at];
            const auto here = static_cast<std::size_t>(std::popcount(word));
            if (skip >= here) {
                skip -= here;
                continue;
            }
            for (; word != 0 && wanted > 0;) {
                const auto bit =
                    backwards ? kWordBits - 1 - static_cast<std::size_t>(std::countl_zero(word))
                              : static_cast<std::size_t>(std::countr_zero(word));
                word &= ~(std::uint64_t{1} << bit);
                if (skip > 0) {
                    --skip;
                    continue;
                }
                visit(at * kWordBits + bit);
                --wanted;
            }
        }
    }
    [[nodiscard]] std::vector<std::uint64_t>& words() { return words_; }
    [[nodiscard]] const std::vector<std::uint64_t>& words() const { return words_; }
    [[nodiscard]] std::size_t bytes() const { return words_.capacity() * sizeof(std::uint64_t); }

  private:
    std::vector<std::uint64_t> words_;
};

}  // namespace kinodex::store::sqlite
