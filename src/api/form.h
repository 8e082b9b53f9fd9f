// Forms with a file, which is written to the media store while it arrives.
//
// Clients order the parts as they like (the JavaScript SDK sends the file before the fields), so
// nothing but sizes is judged before the whole form is there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/endpoint.h"
#include "http/types.h"
#include "objects/objects.h"
#include "service/assets.h"

namespace kinodex::api {

/// What a form may hold.
struct FormRules {
    std::string file;                // the part with the file
    std::vector<std::string> texts;  // every other part
    std::int64_t file_bytes_max = 0;
};

struct Form {
    std::vector<std::pair<std::string, std::string>> texts;
    std::unique_ptr<objects::Draft> file;
    std::string file_name;  // of the file part, without its path; may be empty

    [[nodiscard]] const std::string* text(std::string_view name) const;
    /// Errors: parameter_invalid.
    [[nodiscard]] base::Result<bool> flag(std::string_view name, bool otherwise) const;
    /// `user_metadata` as JSON text, within its bounds. Errors: parameter_invalid.
    [[nodiscard]] base::Result<std::optional<domain::MetadataChange>> metadata() const;
};

/// Reads a whole request. Errors: parameter_unknown, also for a query; parameter_invalid for a part
/// that comes twice; those of forms, and of files larger than the bound, by type.
Asked<Form> read_form(service::Assets& assets, http::Request& request, FormRules rules);

/// The declaration of `user_metadata` in such a form.
Field metadata_part();

}  // namespace kinodex::api
