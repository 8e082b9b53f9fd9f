// The subcommands of the binary. Each returns the exit code of the process.
#pragma once

#include "config/config.h"

namespace kinodex::server {

int run_serve(const config::Config& config);
int run_keys(const config::Config& config);
int run_webhooks(const config::Config& config);
int run_export(const config::Config& config);
int run_import(const config::Config& config);
int run_backup(const config::Config& config);
int run_ingest(const config::Config& config);

}  // namespace kinodex::server
