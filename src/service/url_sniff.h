// What an answer from a URL is not: a web page, a playlist, a stream without an end. Told from its
// head and first bytes, before anything large is fetched. What passes may still be no media: that
// is for the probe to say.
#pragma once

#include <string_view>

#include "base/result.h"
#include "domain/asset.h"
#include "fetch/exchange.h"

namespace kinodex::service {

/// So many first bytes tell.
inline constexpr std::size_t kSniffBytes = 2048;

/// Errors: video_file_live.
base::Status check_answer_head(const fetch::Head& head);
/// Errors: video_file_live, media_url_unsupported_format.
base::Status check_first_bytes(std::string_view bytes, std::string_view content_type);
/// The type that a Content-Type announces; unknown when it says nothing of the kind.
domain::AssetType announced_type(std::string_view content_type);

}  // namespace kinodex::service
