#include "http/router.h"

#include <gtest/gtest.h>

namespace kinodex::http {
namespace {

Task<Response> nothing(Request&) {
    co_return Response{};
}

Router made_router() {
    Router router;
    const std::pair<Method, const char*> routes[] = {
        {Method::get, "/v1/assets"},
        {Method::post, "/v1/assets"},
        {Method::get, "/v1/assets/{asset_id}"},
        {Method::delete_, "/v1/assets/{asset_id}"},
        {Method::get, "/v1/assets/uploads"},
        {Method::get, "/v1/assets/uploads/{upload_id}"},
        {Method::get, "/v1/assets/{asset_id}/parts"},
        {Method::get, "/v1/assets/{asset_id}/parts/last"},
        {Method::patch, "/v1/indexes/{index_id}/assets/{asset_id}"},
        {Method::get, "/"},
    };
    for (const auto& [method, pattern] : routes) {
        Route route;
        route.method = method;
        route.pattern = pattern;
        route.handler = nothing;
        route.name = pattern;
        router.add(std::move(route));
    }
    return router;
}

std::string found(const Router& router, Method method, std::string_view path) {
    const auto match = router.find(method, path);
    if (match.route == nullptr) {
        return match.path_known ? "405 " + match.allow : "404";
    }
    std::string text = match.route->name;
    for (const auto& value : match.path_values) {
        text += " " + value;
    }
    return text;
}

TEST(Router, finds_the_route_and_its_values) {
    const auto router = made_router();
    const struct {
        Method method;
        const char* path;
        const char* expected;
    } rows[] = {
        {Method::get, "/", "/"},
        {Method::get, "/v1/assets", "/v1/assets"},
        {Method::head, "/v1/assets", "/v1/assets"},
        {Method::get, "/v1/assets/7", "/v1/assets/{asset_id} 7"},
        {Method::get, "/v1/assets/uploads", "/v1/assets/uploads"},
        {Method::get, "/v1/assets/uploads/9", "/v1/assets/uploads/{upload_id} 9"},
        {Method::get, "/v1/assets/7/parts", "/v1/assets/{asset_id}/parts 7"},
        // Static wins at the earliest segment, although both fit.
        {Method::get, "/v1/assets/uploads/parts", "/v1/assets/uploads/{upload_id} parts"},
        // Where static ones lead nowhere, the placeholder is tried.
        {Method::get, "/v1/assets/uploads/parts/last", "/v1/assets/{asset_id}/parts/last uploads"},
        // What the path means does not hang on the method, although a placeholder takes DELETE.
        {Method::delete_, "/v1/assets/uploads", "405 GET, HEAD"},
        {Method::other, "/v1/assets/uploads/parts", "405 GET, HEAD"},
        {Method::patch, "/v1/indexes/a%2Fb/assets/c%20d",
         "/v1/indexes/{index_id}/assets/{asset_id} a/b c d"},
        {Method::get, "/v1/%61ssets", "/v1/assets"},
        {Method::get, "/v1/assets/a+b", "/v1/assets/{asset_id} a+b"},
        {Method::post, "/v1/assets/7", "405 GET, HEAD, DELETE"},
        {Method::other, "/v1/assets", "405 GET, HEAD, POST"},
        {Method::get, "/v1/assets/", "404"},
        {Method::get, "/v1//7", "404"},
        {Method::get, "/v1/assets/%zz", "404"},
        {Method::get, "/v1/assets/7/parts/8", "404"},
        {Method::get, "", "404"},
        {Method::get, "*", "404"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(found(router, row.method, row.path), row.expected) << row.path;
    }
}

TEST(Router, bounds_the_depth_of_paths) {
    const auto router = made_router();
    std::string deep;
    for (std::size_t i = 0; i < kPathSegmentsMax + 1; ++i) {
        deep += "/v1";
    }
    EXPECT_EQ(found(router, Method::get, deep), "404");
}

TEST(RouterDeathTest, refuses_two_routes_of_one_shape) {
    auto router = made_router();
    Route route;
    route.pattern = "/v1/assets/{other_name}";
    route.handler = nothing;
    EXPECT_DEATH(router.add(route), "no two routes");
}

}  // namespace
}  // namespace kinodex::http
