// Reads the lines of answer heads as they come: interim answers are passed over, trailers ignored.
#pragma once

#include <string_view>

#include "fetch/exchange.h"

namespace kinodex::fetch {

inline constexpr std::size_t kHeadBytesMax = 64 * 1024;

class HeadReader {
  public:
    enum class State { reading, complete, refused };

    /// One line with or without its line end. `refused`: the head is too large, or announces a
    /// transfer coding that nobody asked for.
    State add_line(std::string_view line);
    [[nodiscard]] const Head& head() const { return head_; }

  private:
    void add_field(std::string_view line);

    Head head_;
    std::size_t bytes_ = 0;
    bool is_chunked_ = false;
    State state_ = State::reading;
};

}  // namespace kinodex::fetch
