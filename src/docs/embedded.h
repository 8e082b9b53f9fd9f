// The project's documentation and the assets of its pages, as the build put them into the binary.
#pragma once

#include <span>
#include <string_view>

namespace kinodex::docs {

struct EmbeddedFile {
    std::string_view name;  // below the project's root, e.g. "docs/api.md"
    std::string_view text;
};

/// In the order of the build's list. Static: views into it never end.
std::span<const EmbeddedFile> embedded_files();

}  // namespace kinodex::docs
