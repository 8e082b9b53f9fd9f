// Entities: people and things known by reference images, kept in collections.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/asset.h"
#include "domain/ids.h"
#include "domain/index.h"
#include "domain/metadata.h"

namespace kinodex::domain {

/// processing: its reference images are not all looked at yet, or none of them can be used.
enum class EntityStatus { processing, ready };

/// Reference images of one entity.
inline constexpr std::size_t kEntityAssetsMax = 100;
/// Entities with the same reference image: deleting the asset touches each in one step.
inline constexpr std::int64_t kEntitiesOfAssetMax = 1000;
/// Smallest side of a reference image, in pixels.
inline constexpr int kReferenceSideMin = 128;

struct EntityCollection {
    EntityCollectionId id;
    AccountId account_id;
    std::string name;
    std::string description;  // may be empty
    base::Timestamp created_at;
    base::Timestamp updated_at;
};

/// Unset: unchanged.
struct EntityCollectionChange {
    std::optional<std::string> name;
    std::optional<std::string> description;
};

struct Entity {
    EntityId id;
    EntityCollectionId entity_collection_id;
    AccountId account_id;
    std::string name;
    std::string description;
    Metadata metadata;
    std::vector<AssetId> asset_ids;  // in the order in which they were added; each once
    EntityStatus status = EntityStatus::processing;
    std::string error_message;  // why it cannot become ready; only while processing
    base::Timestamp created_at;
    base::Timestamp updated_at;
};

struct EntityChange {
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<MetadataChange> metadata;
};

enum class EntitySortBy { created_at, updated_at, name };

/// For collections and for entities; names sort and match whatever the case.
struct EntityFilter {
    std::string name_part;               // substring; empty: any
    std::optional<EntityStatus> status;  // of entities only
    EntitySortBy sort_by = EntitySortBy::created_at;
    SortOrder order = SortOrder::desc;
};

/// What of an asset decides whether an entity can be known by it.
struct Reference {
    AssetId id;
    AssetStatus status = AssetStatus::processing;
    AssetType type = AssetType::unknown;
    std::optional<int> width;
    std::optional<int> height;
};
Reference reference_of(const Asset& asset);

/// May this become a reference image, by what is known of it now? What is still `processing` may,
/// whatever was announced: its bytes have the last word. Errors: parameter_invalid for asset_ids.
base::Status check_reference(const Reference& reference);

/// Can an entity be known by it? A ready image was decoded when it was examined, so what was noted
/// of it then says all.
bool is_usable(const Reference& reference);

}  // namespace kinodex::domain
