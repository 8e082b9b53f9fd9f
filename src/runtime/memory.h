// Giving memory back to the system once start-up is over.
#pragma once

#include <cstddef>

namespace kinodex::runtime {

/// Drops what the process holds and does not need now: free heap, and file pages that were only
/// touched while libraries were being linked (the media libraries alone bring over a hundred). The
/// kernel reads them back from its cache when they are used again. Returns the bytes of file
/// mappings that were let go; 0 when /proc is not there.
std::size_t return_unused_memory();

}  // namespace kinodex::runtime
