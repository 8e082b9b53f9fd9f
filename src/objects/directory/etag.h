// The ETag of a part: its SHA-256 in hex, taken while the bytes pass.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace kinodex::objects {

class EtagHash {
  public:
    EtagHash();
    ~EtagHash();
    EtagHash(const EtagHash&) = delete;
    EtagHash& operator=(const EtagHash&) = delete;
    void add(std::span<const std::byte> bytes);
    /// At the end, once.
    std::string text();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::objects
