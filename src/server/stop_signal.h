// How a command hears that it shall stop: SIGINT or SIGTERM, asked for between two steps of work.
#pragma once

#include <atomic>

#include "base/result.h"

namespace kinodex::server {

/// From now on the first SIGINT or SIGTERM is only noted; a second one ends the process at once.
void watch_stop_signals();
/// The signal that was noted; 0: none.
int stop_signal();
/// Set once one was noted: for what polls it from several threads.
const std::atomic<bool>& stop_asked();
/// Errors: internal, with a detail, once the command shall stop.
base::Status check_stop();
/// The exit code of a command that failed with this: that of the signal when one was noted, else 1
/// after saying what failed.
int exit_code_of(const base::Error& error);

}  // namespace kinodex::server
