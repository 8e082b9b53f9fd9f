#include "store/sqlite/catalog.h"

#include <mutex>

namespace kinodex::store::sqlite {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};

}  // namespace

void Catalog::put(domain::IndexId index_id, domain::AccountId account_id,
                  std::shared_ptr<Listing> listing) {
    const std::unique_lock lock(mutex_);
    entries_[index_id] = {account_id, std::move(listing)};
}

std::shared_ptr<const Listing> Catalog::find(domain::AccountId account_id,
                                             domain::IndexId index_id) const {
    const std::shared_lock lock(mutex_);
    const auto found = entries_.find(index_id);
    if (found == entries_.end() || found->second.account_id != account_id) {
        return nullptr;
    }
    return found->second.listing;
}

std::optional<domain::Paged<domain::IndexedAsset>> Catalog::list_promptly(
    domain::AccountId account_id, domain::IndexId index_id,
    const domain::IndexedAssetFilter& filter, const domain::Page& page) const {
    // The listing is not shared beyond the lock: freeing a large one is not for an I/O thread.
    const std::shared_lock lock(mutex_, std::try_to_lock);
    if (!lock) {
        return std::nullopt;
    }
    const auto found = entries_.find(index_id);
    if (found == entries_.end() || found->second.account_id != account_id) {
        return std::nullopt;
    }
    return found->second.listing->list_promptly(filter, page);
}

Catalog::Entries::node_type Catalog::take_out(domain::IndexId index_id) {
    const std::unique_lock lock(mutex_);
    return entries_.extract(index_id);
}

void Catalog::publish(std::vector<CatalogChange> changes) {
    for (auto& change : changes) {
        publish_one(change);
    }
}

void Catalog::publish_one(CatalogChange& change) {
    if (const auto* added = std::get_if<IndexAdded>(&change.what)) {
        put(change.index_id, added->account_id, std::make_shared<Listing>());
        return;
    }
    if (std::holds_alternative<IndexDropped>(change.what)) {
        const auto dropped = take_out(change.index_id);  // freed here, when nobody waits for it
        return;
    }
    std::shared_ptr<Listing> listing;
    {
        const std::shared_lock lock(mutex_);
        if (const auto found = entries_.find(change.index_id); found != entries_.end()) {
            listing = found->second.listing;
        }
    }
    if (!listing) {  // the index went in the same batch
        return;
    }
    std::visit(
        Overloaded{
            [&](const RowAdded& added) {
                listing->add(listing_row(added.item), tokens_of(added.item.user_metadata));
            },
            [&](const RowFilled& filled) { listing->fill(listing_row(filled.item)); },
            [&](const RowRemoved& removed) { listing->remove(removed.created, removed.tokens); },
            [&](const StateChanged& changed) {
                listing->set_state(changed.created, changed.state);
            },
            [&](const TokensChanged& changed) {
                listing->set_tokens(changed.created, changed.change);
            },
            [](const auto&) {},
        },
        change.what);
}

std::size_t Catalog::bytes() const {
    const std::shared_lock lock(mutex_);
    std::size_t sum = 0;
    for (const auto& [id, entry] : entries_) {
        sum += entry.listing->bytes();
    }
    return sum;
}

}  // namespace kinodex::store::sqlite
