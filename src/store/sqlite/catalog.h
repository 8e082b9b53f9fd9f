// The listings of all indexes, and what a commit changes in them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <variant>
#include <vector>

#include "domain/ids.h"
#include "store/sqlite/listing.h"

namespace kinodex::store::sqlite {

struct IndexAdded {
    domain::AccountId account_id;
};
struct IndexDropped {};
struct RowAdded {
    domain::IndexedAsset item;
};
/// Its asset is ready: the system metadata is known from now on.
struct RowFilled {
    domain::IndexedAsset item;
};
struct RowRemoved {
    RowKey created;
    std::vector<Token> tokens;
};
struct StateChanged {
    RowKey created;
    Listing::State state;
};
struct TokensChanged {
    RowKey created;
    Listing::TokenChange change;
};

/// One change of one index, made by a committed write.
struct CatalogChange {
    domain::IndexId index_id;
    std::variant<IndexAdded, IndexDropped, RowAdded, RowFilled, RowRemoved, StateChanged,
                 TokensChanged>
        what;
};

class Catalog {
  public:
    void put(domain::IndexId index_id, domain::AccountId account_id,
             std::shared_ptr<Listing> listing);
    /// The listing, when the index belongs to `account_id`. Shared: it outlives its index while a
    /// reader is at work.
    [[nodiscard]] std::shared_ptr<const Listing> find(domain::AccountId account_id,
                                                      domain::IndexId index_id) const;
    /// What Listing::list_promptly gives; also nullopt when there is no such index.
    [[nodiscard]] std::optional<domain::Paged<domain::IndexedAsset>> list_promptly(
        domain::AccountId account_id, domain::IndexId index_id,
        const domain::IndexedAssetFilter& filter, const domain::Page& page) const;
    /// Applies committed changes in order. One thread only.
    void publish(std::vector<CatalogChange> changes);
    [[nodiscard]] std::size_t bytes() const;

  private:
    struct Entry {
        domain::AccountId account_id;
        std::shared_ptr<Listing> listing;
    };
    using Entries = std::map<domain::IndexId, Entry>;
    void publish_one(CatalogChange& change);
    [[nodiscard]] Entries::node_type take_out(domain::IndexId index_id);

    mutable std::shared_mutex mutex_;
    Entries entries_;
};

}  // namespace kinodex::store::sqlite
