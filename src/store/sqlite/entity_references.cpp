// The images of entities, and the checks that follow from what happens to them.
#include "store/sqlite/entities.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

using domain::EntityStatus;
using Ids = std::vector<domain::AssetId>;

/// The reference images of an entity in no order, one a step: the first ones mostly decide.
class References {
  public:
    References(Connection& db, domain::EntityId entity)
        : query_(db,
                 "SELECT a.id, a.status, a.type, a.width, a.height FROM entity_assets e "
                 "JOIN assets a ON a.id = e.asset_id WHERE e.entity_id = ?") {
        query_.with(entity);
    }
    base::Result<std::optional<domain::Reference>> next() {
        KN_TRY(more, query_.step());
        if (!more) {
            return std::nullopt;
        }
        return domain::Reference{query_.id<domain::AssetId>(0), query_.word<domain::AssetStatus>(1),
                                 query_.word<domain::AssetType>(2), query_.maybe_integer<int>(3),
                                 query_.maybe_integer<int>(4)};
    }

  private:
    Query query_;
};

template <class Holds>
base::Result<bool> has_reference(Connection& db, domain::EntityId entity, Holds holds) {
    References references(db, entity);
    while (true) {
        KN_TRY(reference, references.next());
        if (!reference || holds(*reference)) {
            return reference.has_value();
        }
    }
}

bool is_processing(const domain::Reference& reference) {
    return reference.status == domain::AssetStatus::processing;
}

base::Result<std::vector<domain::EntityId>> entities_of(Connection& db, domain::AssetId asset) {
    std::vector<domain::EntityId> ids;
    Query query(db, "SELECT entity_id FROM entity_assets WHERE asset_id = ?");
    query.with(asset);
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return ids;
        }
        ids.push_back(query.id<domain::EntityId>(0));
    }
}

/// After one of its images was deleted.
base::Status image_deleted(WriteTurn& turn, domain::EntityId id) {
    KN_TRY(has_images, has_reference(turn.db, id, [](const auto&) { return true; }));
    bool is_settled = false;
    {
        Query query(turn.db, "SELECT status, error_message <> '' FROM entities WHERE id = ?");
        KN_PASS(query.with(id).step());
        // None of its images could be used: fewer of them cannot either.
        is_settled = query.integer(1) != 0;
        if (query.word<EntityStatus>(0) == EntityStatus::ready) {
            KN_TRY(has_usable, has_reference(turn.db, id, domain::is_usable));
            is_settled = has_usable;
        }
    }
    if (!has_images || !is_settled) {
        return images_changed(turn, id, has_images);
    }
    Query query(turn.db,
                "UPDATE entities SET revision = revision + 1, updated_ms = ? WHERE id = ?");
    return query.with(base::now(), id).done();
}

}  // namespace

base::Result<Ids> asset_ids_of(Connection& db, domain::EntityId id) {
    Ids ids;
    Query query(db, "SELECT asset_id FROM entity_assets WHERE entity_id = ? ORDER BY place");
    query.with(id);
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return ids;
        }
        ids.push_back(query.id<domain::AssetId>(0));
    }
}

base::Status link_assets(Connection& db, domain::EntityId entity, const Ids& assets) {
    for (const auto& asset : assets) {
        Query query(db,
                    "INSERT INTO entity_assets (entity_id, asset_id, place) SELECT ?1, ?2, "
                    "coalesce(max(place) + 1, 0) FROM entity_assets WHERE entity_id = ?1");
        KN_PASS(query.with(entity, asset).done());
    }
    return {};
}

base::Result<std::vector<domain::Reference>> reference_images_of(Connection& db,
                                                                 domain::EntityId id) {
    std::vector<domain::Reference> all;
    References references(db, id);
    while (true) {
        KN_TRY(reference, references.next());
        if (!reference) {
            return all;
        }
        all.push_back(*reference);
    }
}

base::Status queue_check(WriteTurn& turn, domain::EntityId id) {
    KN_TRY(waits, has_reference(turn.db, id, is_processing));
    return waits ? base::Status{} : insert_job(turn, {domain::JobKind::check_entity, id.text()});
}

base::Status images_changed(WriteTurn& turn, domain::EntityId id, bool has_images) {
    Query query(turn.db,
                "UPDATE entities SET status = ?, error_message = '', revision = revision + 1, "
                "updated_ms = ? WHERE id = ?");
    const auto status = has_images ? EntityStatus::processing : EntityStatus::ready;
    KN_PASS(query.with(status, base::now(), id).done());
    return has_images ? queue_check(turn, id) : base::Status{};
}

base::Status check_entities_of(WriteTurn& turn, domain::AssetId asset) {
    KN_TRY(ids, entities_of(turn.db, asset));
    for (const auto& id : ids) {
        Query query(turn.db, "SELECT 1 FROM entities WHERE id = ? AND status = ?");
        KN_TRY(waits, query.with(id, EntityStatus::processing).step());
        if (waits) {
            KN_PASS(queue_check(turn, id));
        }
    }
    return {};
}

base::Status unlink_from_entities(WriteTurn& turn, domain::AssetId asset) {
    KN_TRY(ids, entities_of(turn.db, asset));
    KN_PASS(Query(turn.db, "DELETE FROM entity_assets WHERE asset_id = ?").with(asset).done());
    for (const auto& id : ids) {
        KN_PASS(image_deleted(turn, id));
    }
    return {};
}

}  // namespace kinodex::store::sqlite
