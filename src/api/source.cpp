// The bytes of an asset as they were uploaded, under a signed URL.
#include "api/api.h"
#include "api/byte_answer.h"
#include "api/error_table.h"
#include "api/links.h"
#include "service/object_keys.h"

namespace kinodex::api {
namespace {

class ObjectBytes final : public http::BodySource {
  public:
    explicit ObjectBytes(std::shared_ptr<objects::Object> object) : object_(std::move(object)) {}
    Asked<void> read(std::uint64_t offset, std::span<std::byte> into) override {
        return object_->read(offset, into);
    }

  private:
    std::shared_ptr<objects::Object> object_;
};

std::unexpected<base::Error> no_asset(const std::string& text) {
    return base::fail(Errc::resource_not_exist,
                      {{"resource_id", text}, {"collection_name", "assets"}});
}

Asked<std::shared_ptr<objects::Object>> source_of(Services& services,
                                                  const http::Request& request) {
    const auto& text = request.path_values.at(0);
    KN_CO_PASS(check_signed(request, services.signer, source_scope(text)));
    const auto id = domain::AssetId::parse(text);
    if (!id) {
        co_return no_asset(text);
    }
    // The objects may outlive their row for a moment.
    KN_CO_PASS(co_await services.assets.find(*id));
    auto object = co_await services.objects.open(service::source_key(*id));
    if (!object && object.error().code == Errc::resource_not_exist) {
        co_return no_asset(text);
    }
    co_return object;
}

runtime::Task<http::Response> respond(Services& services, http::Request& request) {
    auto object = co_await source_of(services, request);
    if (!object) {
        co_return render_error(object.error(), request.request_id);
    }
    const auto size = (*object)->size_bytes();
    const auto etag = "\"" + request.path_values.at(0) + "-" + std::to_string(size) + "\"";
    http::Response response;
    // Whatever it is, it was made elsewhere: browsers keep it, and do not run it.
    response.headers = {{"Content-Type", "application/octet-stream"},
                        {"Content-Disposition", "attachment"},
                        {"ETag", etag},
                        {"Accept-Ranges", "bytes"}};
    http::SourcedBytes whole{std::make_unique<ObjectBytes>(std::move(*object)), 0, size};
    co_return answer_bytes(request, std::move(response), etag, std::move(whole));
}

}  // namespace

std::vector<Endpoint> source_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(raw_endpoint(
        {Method::get,
         "/media/assets/{asset_id}/source",
         "media.source",
         "The uploaded bytes of an asset",
         {}},
        answers_bytes("application/octet-stream"),
        {Errc::media_signature_invalid, Errc::resource_not_exist},
        {part("asset_id", In::path, Presence::required, schema::text(1), "The asset's identifier."),
         part("expires", In::query, Presence::required, schema::text(),
              "When the URL ends, in seconds since 1970."),
         part("signature", In::query, Presence::required, schema::text(),
              "The server's proof that it made the URL.")},
        Access::signature, http::BodyMode::none,
        [&services](http::Request& request) { return respond(services, request); }));
    return endpoints;
}

}  // namespace kinodex::api
