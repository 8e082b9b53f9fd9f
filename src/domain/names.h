// The words for enums: the same on the wire, in the database and in logs.
#pragma once

#include <optional>
#include <string_view>

#include "domain/asset.h"
#include "domain/entity.h"
#include "domain/indexed_asset.h"
#include "domain/job.h"
#include "domain/task.h"
#include "domain/upload.h"
#include "domain/webhook.h"

namespace kinodex::domain {

std::string_view name_of(AssetStatus value);
std::string_view name_of(AssetMethod value);
std::string_view name_of(AssetType value);
std::string_view name_of(DerivedStatus value);
std::string_view name_of(IndexingStatus value);
std::string_view name_of(StreamStatus value);
std::string_view name_of(EntityStatus value);
std::string_view name_of(TaskStatus value);
std::string_view name_of(JobKind value);
std::string_view name_of(DeliveryState value);
std::string_view name_of(UploadStatus value);

/// The value with that name, e.g. from_name<AssetStatus>("ready"). Defined for the enums above.
template <class Enum>
std::optional<Enum> from_name(std::string_view name);

}  // namespace kinodex::domain
