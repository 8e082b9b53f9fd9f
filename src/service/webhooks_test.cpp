// Webhooks: the signature that receivers check, the event's JSON, and the option's text.
#include "service/webhooks.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace kinodex::service {
namespace {

TEST(WebhookSignature, is_the_hmac_of_time_and_body) {
    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac sixteen-bytes-or-more
    const auto now = base::Timestamp(std::chrono::milliseconds(1'700'000'000'999));
    const auto text = webhook_signature("sixteen-bytes-or-more", now, R"({"a":1})");
    EXPECT_EQ(text,
              "t=1700000000,v1=27f8b691cd8fc061b3d2c273d97f2bb960dbc09a54c3e776d3815e73e5b64986");
}

TEST(WebhookBody, tells_what_ended_and_how) {
    domain::IndexedAsset item;
    item.id = domain::IndexedAssetId::next();
    item.status = domain::IndexingStatus::failed;
    item.error_message = "Unable to process video file.";
    item.system_metadata.duration_sec = 12.5;
    domain::Index index;
    index.models = {{"marengo3.0", {"visual", "audio"}}};
    const auto body = boost::json::parse(
        webhook_body("whe_x", *base::parse_rfc3339("2026-03-01T12:00:00Z"), item, index, {}));
    EXPECT_EQ(body.at("id"), "whe_x");
    EXPECT_EQ(body.at("type"), "index.task.failed");
    EXPECT_EQ(body.at("created_at"), "2026-03-01T12:00:00.000Z");
    const auto& data = body.at("data");
    EXPECT_EQ(data.at("id").as_string(), item.id.text());
    EXPECT_EQ(data.at("status"), "failed");
    EXPECT_EQ(data.at("metadata").at("duration"), 12.5);
    EXPECT_EQ(data.at("models"),
              boost::json::parse(R"([{"name":"marengo3.0","options":["visual","audio"]}])"));
    EXPECT_EQ(data.at("error").at("message").as_string(), item.error_message);
}

TEST(WebhookBody, has_the_id_of_the_task_that_made_the_video) {
    domain::IndexedAsset item;
    item.id = domain::IndexedAssetId::next();
    const auto task = domain::TaskId::next();
    const auto body = boost::json::parse(webhook_body("whe_x", base::now(), item, {}, task));
    EXPECT_EQ(body.at("data").at("id").as_string(), task.text());
    EXPECT_EQ(body.at("data").at("video_id").as_string(), item.id.text());
}

TEST(WebhookPatience, silence_is_borne_for_all_of_the_time) {
    EXPECT_EQ(kWebhookPatience.total, std::chrono::seconds(30));
    EXPECT_GE(kWebhookPatience.stall, kWebhookPatience.total);
}

TEST(WebhookEndpoints, are_urls_each_maybe_of_one_account) {
    const auto endpoints =
        parse_webhook_endpoints("https://a.example/x?y=1,films=http://b.example:8080/");
    ASSERT_TRUE(endpoints);
    ASSERT_EQ(endpoints->size(), 2u);
    EXPECT_EQ((*endpoints)[0].account_name, "");
    EXPECT_EQ((*endpoints)[0].url, "https://a.example/x?y=1");
    EXPECT_EQ((*endpoints)[1].account_name, "films");
    EXPECT_EQ((*endpoints)[1].url, "http://b.example:8080/");
    EXPECT_TRUE(parse_webhook_endpoints("")->empty());
}

TEST(WebhookEndpoints, may_have_blanks_around_them) {
    const auto endpoints =
        parse_webhook_endpoints(" https://a.example/ ,\thttp://b.example/, films = http://c/ ");
    ASSERT_TRUE(endpoints);
    ASSERT_EQ(endpoints->size(), 3u);
    EXPECT_EQ((*endpoints)[0].url, "https://a.example/");
    EXPECT_EQ((*endpoints)[1].url, "http://b.example/");
    EXPECT_EQ((*endpoints)[2].account_name, "films");
    EXPECT_EQ((*endpoints)[2].url, "http://c/");
    EXPECT_FALSE(parse_webhook_endpoints("https://a.example/, "));
}

TEST(WebhookEndpoints, others_are_refused_with_a_reason) {
    for (const auto* text : {"a.example", "ftp://a.example/", "=https://a.example/", ",",
                             "https://a.example/,nonsense"}) {
        const auto parsed = parse_webhook_endpoints(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_FALSE(parsed.error().value("reason").empty()) << text;
    }
    std::string many = "https://a.example/";
    for (std::size_t i = 0; i < kWebhookEndpointsMax; ++i) {
        many += ",https://a.example/";
    }
    EXPECT_FALSE(parse_webhook_endpoints(many));
}

}  // namespace
}  // namespace kinodex::service
