// Lists of slots (row numbers of a listing) in blocks, so that one insert or erase moves a few
// kilobytes whatever the length: SlotSet in ascending order, SlotOrder in an order given by a key.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kinodex::store::sqlite {

using Slot = std::uint32_t;

/// Slots in the order of `before`, which the caller passes to each call that compares.
class SlotOrder {
  public:
    static constexpr std::size_t kBlockSlots = 1'024;

    /// Replaces everything by `slots`, which are in order.
    void assign(std::span<const Slot> slots) {
        blocks_.clear();
        // Three quarters full: room for inserts without a split each time.
        constexpr std::size_t kFill = kBlockSlots * 3 / 4;
        for (std::size_t at = 0; at < slots.size(); at += kFill) {
            const auto part = slots.subspan(at, std::min(kFill, slots.size() - at));
            blocks_.emplace_back(part.begin(), part.end());
        }
    }

    template <class Before>
    void insert(Slot slot, const Before& before) {
        if (blocks_.empty()) {
            blocks_.push_back({slot});
            return;
        }
        auto block = find_block(slot, before);
        if (block == blocks_.end()) {
            --block;  // after everything: the usual case
            if (block->size() >= kBlockSlots) {
                blocks_.push_back({slot});
                return;
            }
            block->push_back(slot);
            return;
        }
        block->insert(std::lower_bound(block->begin(), block->end(), slot, before), slot);
        if (block->size() > kBlockSlots) {
            const auto half = block->begin() + static_cast<std::ptrdiff_t>(block->size() / 2);
            std::vector<Slot> upper(half, block->end());
            block->erase(half, block->end());
            block->shrink_to_fit();
            blocks_.insert(block + 1, std::move(upper));
        }
    }

    /// Takes `slot` out; false when it is not there.
    template <class Before>
    bool erase(Slot slot, const Before& before) {
        const auto block = find_block(slot, before);
        if (block == blocks_.end()) {
            return false;
        }
        const auto at = std::lower_bound(block->begin(), block->end(), slot, before);
        if (at == block->end() || *at != slot) {
            return false;
        }
        block->erase(at);
        if (block->empty()) {
            blocks_.erase(block);
        }
        return true;
    }

    /// The first slot not before `probe`, by `is_before(slot)`; nullptr when all are.
    template <class IsBefore>
    const Slot* first_not_before(const IsBefore& is_before) const {
        const auto block =
            std::partition_point(blocks_.begin(), blocks_.end(),
                                 [&](const auto& each) { return is_before(each.back()); });
        if (block == blocks_.end()) {
            return nullptr;
        }
        return &*std::partition_point(block->begin(), block->end(), is_before);
    }

    /// Calls visit(slot) → bool (go on?) from the `skip`th slot on, forwards or backwards.
    template <class Visit>
    void walk(bool backwards, std::size_t skip, const Visit& visit) const {
        const auto go = [&](const auto& blocks) {
            for (const auto& block : blocks) {
                if (skip >= block.size()) {
                    skip -= block.size();
                    continue;
                }
                if (!walk_block(block, backwards, skip, visit)) {
                    return;
                }
                skip = 0;
            }
        };
        if (backwards) {
            go(std::ranges::subrange(blocks_.rbegin(), blocks_.rend()));
        } else {
            go(blocks_);
        }
    }

    [[nodiscard]] std::size_t bytes() const {
        std::size_t sum = blocks_.capacity() * sizeof(std::vector<Slot>);
        for (const auto& block : blocks_) {
            sum += block.capacity() * sizeof(Slot) + 16;
        }
        return sum;
    }

  private:
    template <class Visit>
    static bool walk_block(const std::vector<Slot>& block, bool backwards, std::size_t skip,
                           const Visit& visit) {
        for (std::size_t i = skip; i < block.size(); ++i) {
            if (!visit(block[backwards ? block.size() - 1 - i : i])) {
                return false;
            }
        }
        return true;
    }
    template <class Before>
    auto find_block(Slot slot, const Before& before) {
        if (!blocks_.empty() && before(blocks_.back().back(), slot)) {
            return blocks_.end();
        }
        return std::partition_point(blocks_.begin(), blocks_.end(),
                                    [&](const auto& each) { return before(each.back(), slot); });
    }

    std::vector<std::vector<Slot>> blocks_;
};

/// A set of slots in ascending order, for postings.
class SlotSet {
  public:
    void insert(Slot slot) {
        if (order_.insert(slot, std::less<>()); true) {
            ++size_;
        }
    }
    void erase(Slot slot) { size_ -= order_.erase(slot, std::less<>()) ? 1 : 0; }
    void assign(std::span<const Slot> slots) {
        order_.assign(slots);
        size_ = slots.size();
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes() const { return sizeof(*this) + order_.bytes(); }
    [[nodiscard]] bool contains(Slot slot) const {
        const auto* at = order_.first_not_before([slot](Slot each) { return each < slot; });
        return at != nullptr && *at == slot;
    }
    template <class Visit>
    void for_each(const Visit& visit) const {
        order_.walk(false, 0, [&](Slot slot) {
            visit(slot);
            return true;
        });
    }

  private:
    SlotOrder order_;
    std::size_t size_ = 0;
};

}  // namespace kinodex::store::sqlite
