#include "server/ingest_answers.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace kinodex::server {

namespace json = boost::json;
using fetch::ApiAnswer;

std::unexpected<base::Error> ingest_failed(std::string detail) {
    return base::fail(base::Errc::internal, {}, std::move(detail));
}

std::string message_of(const ApiAnswer& answer) {
    boost::system::error_code error;
    const auto body = json::parse(answer.body, error);
    const auto* object = error ? nullptr : body.if_object();
    const auto* code = object == nullptr ? nullptr : object->if_contains("code");
    const auto* message = object == nullptr ? nullptr : object->if_contains("message");
    if (code == nullptr || message == nullptr || !code->is_string() || !message->is_string()) {
        return fmt::format("HTTP {}", answer.status);
    }
    return fmt::format("{}: {}", std::string_view(code->get_string()),
                       std::string_view(message->get_string()));
}

base::Result<json::object> object_of(const ApiAnswer& answer) {
    boost::system::error_code error;
    auto body = json::parse(answer.body, error);
    if (error || !body.is_object()) {
        return ingest_failed("the server's answer is no JSON object");
    }
    return std::move(body.get_object());
}

base::Result<std::string> text_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) {
        return ingest_failed(fmt::format("the server's answer has no `{}`", key));
    }
    return std::string(value->get_string());
}

base::Result<ShownAsset> asset_in(const json::object& object) {
    ShownAsset asset;
    KN_TRY(id, text_in(object, "_id"));
    KN_TRY(filename, text_in(object, "filename"));
    KN_TRY(status, text_in(object, "status"));
    asset.id = std::move(id);
    asset.filename = std::move(filename);
    asset.status = std::move(status);
    asset.file_type = text_in(object, "file_type").value_or("");
    if (const auto* size = object.if_contains("size"); size != nullptr && size->is_int64()) {
        asset.size_bytes = static_cast<std::uint64_t>(size->get_int64());
    }
    const auto* error = object.if_contains("error");
    if (error != nullptr && error->is_object()) {
        asset.failure = text_in(error->get_object(), "message").value_or("");
    }
    return asset;
}

}  // namespace kinodex::server
