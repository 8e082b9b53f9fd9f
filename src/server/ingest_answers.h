// What `kinodex ingest` reads out of a server's answers.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fetch/api_client.h"

namespace kinodex::server {

std::unexpected<base::Error> ingest_failed(std::string detail);

/// What a refusal says, for the operator.
std::string message_of(const fetch::ApiAnswer& answer);
base::Result<boost::json::object> object_of(const fetch::ApiAnswer& answer);
base::Result<std::string> text_in(const boost::json::object& object, std::string_view key);

/// An asset as the server shows it.
struct ShownAsset {
    std::string id;
    std::string filename;
    std::string status;
    std::string file_type;                    // MIME; empty while it is processing
    std::string failure;                      // why, when it failed
    std::optional<std::uint64_t> size_bytes;  // when it is ready

    [[nodiscard]] bool is_settled() const { return status != "processing"; }
    [[nodiscard]] bool is_image() const { return file_type.starts_with("image/"); }
};
base::Result<ShownAsset> asset_in(const boost::json::object& object);

}  // namespace kinodex::server
