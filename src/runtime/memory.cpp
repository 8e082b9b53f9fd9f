#include "runtime/memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>

namespace kinodex::runtime {
namespace {

struct Mapping {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    bool may_go = false;  // file-backed, private, never written
    std::size_t resident_kb = 0;
};

/// "7f12…-7f34… r-xp 00000000 08:01 1234 /usr/lib/…"
bool parse_head(std::string_view line, Mapping& mapping) {
    const auto dash = line.find('-');
    const auto space = line.find(' ');
    if (dash == std::string_view::npos || space == std::string_view::npos || dash > space) {
        return false;
    }
    const auto* text = line.data();
    const auto from = std::from_chars(text, text + dash, mapping.from, 16);
    const auto to = std::from_chars(text + dash + 1, text + space, mapping.to, 16);
    if (from.ptr != text + dash || to.ptr != text + space) {
        return false;
    }
    const auto rights = line.substr(space + 1, 4);
    mapping.may_go = rights.size() == 4 && rights[1] == '-' && rights[3] == 'p' &&
                     line.find(" /") != std::string_view::npos;
    mapping.resident_kb = 0;
    return true;
}

std::size_t number_after(std::string_view line, std::string_view name) {
    if (!line.starts_with(name)) {
        return 0;
    }
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
    std::size_t number = 0;
    std::from_chars(line.data(), line.data() + line.size(), number);
    return number;
}

std::size_t drop(const Mapping& mapping) {
    // A relocated page is read-only too, but dirty: dropping it would undo the relocation. Such
    // mappings were ruled out above.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells addresses as numbers
    auto* from = reinterpret_cast<void*>(mapping.from);
    if (!mapping.may_go || mapping.resident_kb == 0 ||
        ::madvise(from, mapping.to - mapping.from, MADV_DONTNEED) != 0) {
        return 0;
    }
    return mapping.resident_kb * 1024;
}

}  // namespace

std::size_t return_unused_memory() {
    ::malloc_trim(0);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/smaps", "re"),
                                                               &std::fclose);
    if (file == nullptr) {
        return 0;
    }
    std::size_t dropped = 0;
    Mapping mapping;
    char buffer[4096];
    while (std::fgets(buffer, sizeof buffer, file.get()) != nullptr) {
        const std::string_view line(buffer);
        Mapping next;
        if (parse_head(line, next)) {
            dropped += drop(mapping);
            mapping = next;
        } else if (line.starts_with("Rss:")) {
            mapping.resident_kb = number_after(line, "Rss:");
        } else if (number_after(line, "Private_Dirty:") + number_after(line, "Shared_Dirty:") +
                       number_after(line, "Anonymous:") >
                   0) {
            mapping.may_go = false;
        }
    }
    return dropped + drop(mapping);
}

}  // namespace kinodex::runtime
