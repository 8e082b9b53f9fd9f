// Against the published test vectors.
#include "service/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kinodex::service {
namespace {

std::string hex(const Digest& digest) {
    std::string text;
    for (const auto byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

TEST(Sha256, published_vectors) {  // FIPS 180-4, examples
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hmac, published_vectors) {  // RFC 4231, cases 1 and 6: a short key, and one beyond a block
    EXPECT_EQ(hex(Hmac(std::vector<std::uint8_t>(20, 0x0b)).of({"Hi ", "There"})),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex(Hmac(std::vector<std::uint8_t>(131, 0xaa))
                      .of({"Test Using Larger Than Block-Size Key - Hash Key First"})),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace kinodex::service
