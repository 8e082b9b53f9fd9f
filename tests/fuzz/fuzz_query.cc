// Queries, paths and request heads of any bytes: no crash, bounds held, texts well formed.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "http/head_parser.h"
#include "http/query.h"
#include "http/router.h"

namespace {

using namespace kinodex::http;

Task<Response> nothing(Request&) {
    co_return Response{};
}

Router made_router() {
    Router router;
    for (const auto* pattern : {"/", "/v1.3/assets", "/v1.3/assets/{id}", "/v1.3/assets/uploads",
                                "/v1.3/assets/{id}/parts/{part}", "/v1.3/assets/uploads/{id}"}) {
        Route route;
        route.pattern = pattern;
        route.handler = nothing;
        router.add(std::move(route));
    }
    return router;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Router router = made_router();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto pairs = parse_query(text)) {
        KN_CHECK(pairs->size() <= kQueryPairsMax, "the number of pairs is bounded");
        for (const auto& [name, value] : *pairs) {
            KN_CHECK(kinodex::base::is_utf8(name) && kinodex::base::is_utf8(value),
                     "decoded text is UTF-8");
        }
    }
    KN_CHECK(kinodex::base::is_utf8(kinodex::base::repaired_utf8(text)), "repaired text is UTF-8");
    KN_CHECK(!kinodex::base::is_utf8(text) || kinodex::base::repaired_utf8(text) == text,
             "repair leaves good text alone");
    const auto match = router.find(Method::get, text);
    KN_CHECK(match.path_values.size() <= 2, "as many values as placeholders");
    Request request;
    RequestHead head;
    if (const auto consumed = parse_head(text, HeadLimits{}, request, head)) {
        KN_CHECK(*consumed <= size, "the head lies within its bytes");
        KN_CHECK(request.path.size() <= head.target.size(), "the path is a part of the target");
        const auto found = router.find(request.method, request.path);
        KN_CHECK(found.route == nullptr || !found.path_known, "a route or a refusal");
    }
    return 0;
}
