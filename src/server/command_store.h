// What commands share that work on the database itself, also while a server runs.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "store/store.h"

namespace kinodex::server {

/// For a terminal: control characters and bytes that are no text, which a file name may have, are
/// written as in \x1b.
std::string shown(std::string_view text);
/// What an error says to an operator.
std::string reason_of(const base::Error& error);
/// Says what failed; the exit code.
int complain(const base::Error& error);

/// Opens the store of the data directory without listings, runs `work`, closes it. Returns what
/// `work` returned, or an exit code after saying what failed.
int with_store(const config::Config& config, const std::function<int(store::Store&)>& work);
/// The same for what may come before a server's first start: makes what is missing, and says so.
int with_new_store(const config::Config& config, const std::function<int(store::Store&)>& work);

}  // namespace kinodex::server
