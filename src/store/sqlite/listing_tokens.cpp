#include "store/sqlite/listing_tokens.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <random>

#include "domain/metadata_text.h"

namespace kinodex::store::sqlite {
namespace {

// SipHash with a 128-bit result, 1 round a word and 3 at the end: the variant used for hash tables
// that outsiders feed. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF".
class Sip128 {
  public:
    Sip128(std::uint64_t k0, std::uint64_t k1)
        : v0_(k0 ^ 0x736f6d6570736575ull),
          v1_(k1 ^ 0x646f72616e646f6dull ^ 0xee),
          v2_(k0 ^ 0x6c7967656e657261ull),
          v3_(k1 ^ 0x7465646279746573ull) {}

    void word(std::uint64_t m) {
        v3_ ^= m;
        round();
        v0_ ^= m;
    }
    void bytes(std::string_view text) {
        std::size_t at = 0;
        for (; at + 8 <= text.size(); at += 8) {
            std::uint64_t m = 0;
            std::memcpy(&m, text.data() + at, 8);
            word(m);
        }
        // The length in the last word keeps "a" + "bc" apart from "ab" + "c".
        std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56;
        for (std::size_t shift = 0; at < text.size(); ++at, shift += 8) {
            last |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[at])) << shift;
        }
        word(last);
    }
    Token finish() {
        v2_ ^= 0xee;
        const auto high = squeeze();
        v1_ ^= 0xdd;
        return {high, squeeze()};
    }

  private:
    void round() {
        v0_ += v1_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v0_ = std::rotl(v0_, 32);
        v2_ += v3_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ += v3_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v2_ += v1_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v2_ = std::rotl(v2_, 32);
    }
    std::uint64_t squeeze() {
        round();
        round();
        round();
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }
    std::uint64_t v0_, v1_, v2_, v3_;
};

struct HashKey {
    std::uint64_t k0;
    std::uint64_t k1;
};

Sip128 started(std::string_view key) {
    // One secret per process: tokens never leave it.
    static const HashKey secret = [] {
        std::random_device random;
        const auto word = [&random] {
            return static_cast<std::uint64_t>(random()) << 32 | random();
        };
        return HashKey{word(), word()};
    }();
    Sip128 hash(secret.k0, secret.k1);
    hash.bytes(key);
    return hash;
}

enum class Kind : std::uint64_t { text = 1, integer, real, flag };

Token text_token(std::string_view key, std::string_view text) {
    auto hash = started(key);
    hash.word(static_cast<std::uint64_t>(Kind::text));
    hash.bytes(text);
    return hash.finish();
}

Token word_token(std::string_view key, Kind kind, std::uint64_t word) {
    auto hash = started(key);
    hash.word(static_cast<std::uint64_t>(kind));
    hash.word(word);
    return hash.finish();
}

Token integer_token(std::string_view key, std::int64_t value) {
    return word_token(key, Kind::integer, static_cast<std::uint64_t>(value));
}

Token real_token(std::string_view key, double value) {
    if (value >= -0x1p63 && value < 0x1p63 && std::trunc(value) == value) {
        return integer_token(key, static_cast<std::int64_t>(value));  // 5.0 is 5
    }
    return word_token(key, Kind::real, std::bit_cast<std::uint64_t>(value));
}

Token flag_token(std::string_view key, bool value) {
    return word_token(key, Kind::flag, value ? 1 : 0);
}

/// Reads `{"key":value,…}` without escapes or white space; false at anything else.
class PlainReader {
  public:
    PlainReader(std::string_view json, std::vector<Token>& tokens) : json_(json), tokens_(tokens) {}

    bool read() {
        if (!take('{')) {
            return false;
        }
        if (take('}')) {
            return at_ == json_.size();
        }
        std::string_view key;
        do {
            if (!quoted(key) || !take(':') || !value(key)) {
                return false;
            }
        } while (take(','));
        return take('}') && at_ == json_.size();
    }

  private:
    bool take(char wanted) {
        if (at_ < json_.size() && json_[at_] == wanted) {
            ++at_;
            return true;
        }
        return false;
    }
    bool quoted(std::string_view& text) {
        if (!take('"')) {
            return false;
        }
        const auto begin = at_;
        while (at_ < json_.size() && json_[at_] != '"') {
            if (json_[at_] == '\\') {
                return false;
            }
            ++at_;
        }
        text = json_.substr(begin, at_ - begin);
        return take('"');
    }
    bool value(std::string_view key) {
        std::string_view text;
        if (at_ < json_.size() && json_[at_] == '"') {
            if (!quoted(text)) {
                return false;
            }
            tokens_.push_back(text_token(key, text));
            return true;
        }
        const auto begin = at_;
        while (at_ < json_.size() && json_[at_] != ',' && json_[at_] != '}') {
            ++at_;
        }
        text = json_.substr(begin, at_ - begin);
        if (text == "true" || text == "false") {
            tokens_.push_back(flag_token(key, text == "true"));
            return true;
        }
        return number(key, text);
    }
    bool number(std::string_view key, std::string_view text) {
        const char* end = text.data() + text.size();
        if (text.find_first_of(".eE") == std::string_view::npos) {
            std::int64_t integer = 0;
            const auto [stop, error] = std::from_chars(text.data(), end, integer);
            if (error != std::errc() || stop != end) {
                return false;
            }
            tokens_.push_back(integer_token(key, integer));
            return true;
        }
        double real = 0;
        const auto [stop, error] = std::from_chars(text.data(), end, real);
        if (error != std::errc() || stop != end) {
            return false;
        }
        tokens_.push_back(real_token(key, real));
        return true;
    }

    std::string_view json_;
    std::vector<Token>& tokens_;
    std::size_t at_ = 0;
};

}  // namespace

Token token_of(std::string_view key, const domain::MetadataValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return text_token(key, *text);
    }
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return integer_token(key, *integer);
    }
    if (const auto* real = std::get_if<double>(&value)) {
        return real_token(key, *real);
    }
    return flag_token(key, std::get<bool>(value));
}

std::vector<Token> tokens_of(const domain::Metadata& metadata) {
    std::vector<Token> tokens;
    tokens.reserve(metadata.size());
    for (const auto& [key, value] : metadata) {
        tokens.push_back(token_of(key, value));
    }
    return tokens;
}

std::vector<Token> tokens_of(const domain::MetadataCondition& condition) {
    const auto& key = condition.key;
    if (const auto* typed = std::get_if<domain::MetadataValue>(&condition.wanted)) {
        return {token_of(key, *typed)};
    }
    const auto& text = std::get<std::string>(condition.wanted);
    std::vector<Token> tokens{text_token(key, text)};
    if (text == "true" || text == "false") {
        tokens.push_back(flag_token(key, text == "true"));
    }
    if (const auto number = domain::parse_metadata_number(text)) {
        tokens.push_back(token_of(key, *number));
    }
    return tokens;
}

base::Status append_tokens(std::string_view json, std::vector<Token>& tokens) {
    const auto before = tokens.size();
    if (PlainReader(json, tokens).read()) {
        return {};
    }
    tokens.resize(before);
    KN_TRY(metadata, domain::parse_metadata(json));
    for (const auto& token : tokens_of(metadata)) {
        tokens.push_back(token);
    }
    return {};
}

}  // namespace kinodex::store::sqlite
