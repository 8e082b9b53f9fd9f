// What is asked of lists of indexed assets and of single ones, under either of their two names.
#pragma once

#include "api/fields.h"
#include "api/indexed_asset_wire.h"

namespace kinodex::api {

struct ListItems {
    domain::IndexId index;
    domain::Page page;
    domain::IndexedAssetFilter filter;
};

struct OneItem {
    domain::IndexId index;
    domain::IndexedAssetId id;
    bool wants_embedding = false;
    bool wants_transcription = false;
};

inline constexpr const char* kIndexIdText = "The index's identifier.";

/// Fields of ListItems: every filter, and every key that none of them claims, as metadata. Videos
/// cannot be asked for by status: they are those that are ready.
std::vector<Field> list_item_fields(View view);

/// Fields of OneItem for what needs models.
std::vector<Field> item_part_fields();
/// Embeddings and transcriptions need models that this server does not have: it says so. Errors:
/// feature_not_available.
base::Status check_item_parts(const OneItem& in);

}  // namespace kinodex::api
