// KN_CHECK: always on, for our own mistakes only. Input, disks and children are never checked so.
#pragma once

#include <cstdio>
#include <cstdlib>

#define KN_CHECK(condition, text)                                                            \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            std::fprintf(stderr, "%s:%d: check failed: %s (%s)\n", __FILE__, __LINE__, text, \
                         #condition);                                                        \
            std::abort();                                                                    \
        }                                                                                    \
    } while (false)
