// Against the published test vectors.
#include "base/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/hex.h"

namespace kinodex::base {
namespace {

TEST(Sha256, published_vectors) {  // FIPS 180-4, examples
    EXPECT_EQ(hex_text(sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex_text(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, pieces_hash_as_the_whole) {
    const std::string text(1'000, 'k');
    const auto bytes = std::as_bytes(std::span(text));
    for (const std::size_t cut : {0U, 1U, 63U, 64U, 999U, 1'000U}) {
        Sha256 hash;
        hash.add(bytes.first(cut));
        hash.add(bytes.subspan(cut));
        EXPECT_EQ(hash.end(), sha256(text)) << cut;
    }
}

TEST(Hex, only_lowercase_digits_of_the_right_number_are_bytes) {
    std::vector<std::uint8_t> bytes(3);
    ASSERT_TRUE(parse_hex("00a9ff", bytes));
    EXPECT_EQ(bytes, (std::vector<std::uint8_t>{0x00, 0xa9, 0xff}));
    EXPECT_EQ(hex_text(bytes), "00a9ff");
    for (const auto* text : {"", "00a9f", "00a9fff", "00A9FF", "00a9fg", "00 9ff", "0x00a9"}) {
        EXPECT_FALSE(parse_hex(text, bytes)) << text;
    }
}

TEST(Hmac, published_vectors) {  // RFC 4231, cases 1 and 6: a short key, and one beyond a block
    EXPECT_EQ(hex_text(Hmac(std::vector<std::uint8_t>(20, 0x0b)).of({"Hi ", "There"})),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex_text(Hmac(std::vector<std::uint8_t>(131, 0xaa))
                           .of({"Test Using Larger Than Block-Size Key - Hash Key First"})),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace kinodex::base
