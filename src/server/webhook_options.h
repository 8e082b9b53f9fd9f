// The webhook options of the command line as the service takes them.
#pragma once

#include "config/config.h"
#include "service/webhooks.h"

namespace kinodex::server {

/// Errors: parameter_invalid with a reason that names the option.
base::Result<service::WebhookOptions> webhook_options(const config::Config& config);

}  // namespace kinodex::server
