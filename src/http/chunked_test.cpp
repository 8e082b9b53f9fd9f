#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace kinodex::http {
namespace {

struct Outcome {
    std::string content;
    std::string rest;  // after the body
    bool done = false;
    bool malformed = false;
    bool operator==(const Outcome&) const = default;
};

/// Decodes `wire` in pieces of `piece` bytes.
Outcome decoded(const std::string& wire, std::size_t piece) {
    ChunkDecoder decoder;
    Outcome outcome;
    for (std::size_t at = 0; at < wire.size(); at += piece) {
        auto bytes = wire.substr(at, piece);
        const auto got = decoder.decode(bytes);
        if (!got) {
            EXPECT_EQ(got.error().code, base::Errc::request_malformed);
            outcome.malformed = true;
            return outcome;
        }
        outcome.content += bytes.substr(0, got->content);
        if (got->consumed < bytes.size()) {
            outcome.rest = wire.substr(at + got->consumed);
            break;
        }
    }
    outcome.done = decoder.is_done();
    return outcome;
}

TEST(ChunkDecoder, gives_the_same_for_every_split) {
    const std::string wire =
        "5\r\nhello\r\n1;name=\"v\"\r\n \r\n00A \r\n0123456789\r\n0\r\nA: b\r\n\r\nGET /";
    const Outcome expected{"hello 0123456789", "GET /", true, false};
    for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
        EXPECT_EQ(decoded(wire, piece), expected) << piece;
    }
}

TEST(ChunkDecoder, is_not_done_before_the_last_empty_line) {
    const std::string wire = "2\r\nab\r\n0\r\n\r\n";
    for (std::size_t size = 0; size < wire.size(); ++size) {
        EXPECT_FALSE(decoded(wire.substr(0, size), 3).done) << size;
    }
    EXPECT_TRUE(decoded(wire, 3).done);
}

TEST(ChunkDecoder, is_strict) {
    const std::string rows[] = {
        "\r\n",                                       // no size
        "x\r\n",                                      // not a number
        "-1\r\n",                                     // signed
        "1\na\r\n0\r\n\r\n",                          // bare line feed after the size
        "1\r\nab\r\n",                                // longer than it says
        "1\r\na\n0\r\n\r\n",                          // bare line feed after the data
        "0\r\nA: b\n\r\n",                            // bare line feed in the trailers
        "1000000000000000\r\n",                       // 16 digits
        "1;" + std::string(kChunkLineBytesMax, 'x'),  // endless extension
        "0\r\n" + std::string(kTrailerBytesMax + 1, 't'),
        "1 \x01\r\n",  // control byte
    };
    for (const auto& wire : rows) {
        EXPECT_TRUE(decoded(wire, wire.size()).malformed) << wire;
        EXPECT_TRUE(decoded(wire, 1).malformed) << wire;
    }
}

}  // namespace
}  // namespace kinodex::http
