// Indexes: named sets of indexed assets, with the models chosen for them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "domain/ids.h"

namespace kinodex::domain {

enum class ModelFamily { marengo, pegasus };

struct IndexModel {
    std::string model_name;                  // e.g. "marengo3.0"
    std::vector<std::string> model_options;  // of "visual", "audio", each once
};

struct Index {
    IndexId id;
    AccountId account_id;
    std::string index_name;  // unique in the account
    std::vector<IndexModel> models;
    std::vector<std::string> addons;
    base::Timestamp created_at;
    base::Timestamp updated_at;
    std::int64_t video_count = 0;   // ready indexed assets
    double total_duration_sec = 0;  // of those
};

enum class SortBy { created_at, updated_at };
enum class SortOrder { asc, desc };

struct IndexFilter {
    std::optional<std::string> index_name;   // exact
    std::vector<std::string> model_options;  // every one of them is in some model
    std::optional<ModelFamily> model_family;
    std::optional<base::Timestamp> created_from;
    std::optional<base::Timestamp> updated_from;
    SortBy sort_by = SortBy::created_at;
    SortOrder order = SortOrder::desc;
};

}  // namespace kinodex::domain
