#include "objects/directory/etag.h"

#include <openssl/evp.h>

#include <array>

#include "base/check.h"

namespace kinodex::objects {

struct EtagHash::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_CTX_free(context); }
};

EtagHash::EtagHash() : state_(std::make_unique<State>()) {
    const bool begun = EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1;
    KN_CHECK(begun, "OpenSSL has SHA-256");
}

EtagHash::~EtagHash() = default;

void EtagHash::add(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string EtagHash::text() {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(state_->context, digest.data(), nullptr);
    std::string text;
    for (const unsigned byte : digest) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

}  // namespace kinodex::objects
