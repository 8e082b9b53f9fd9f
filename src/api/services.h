// What the endpoints call. Everything here outlives the server that uses it.
#pragma once

#include <functional>
#include <string>

#include "objects/objects.h"
#include "observe/metrics.h"
#include "service/assets.h"
#include "service/entities.h"
#include "service/indexes.h"
#include "service/keys.h"
#include "service/playback.h"
#include "service/quotas.h"
#include "service/rate_limits.h"
#include "service/signer.h"
#include "service/tasks.h"
#include "service/uploads.h"
#include "service/url_assets.h"

namespace kinodex::api {

struct Services {
    service::Assets& assets;
    service::UrlAssets& url_assets;
    service::Indexes& indexes;
    service::Tasks& tasks;
    service::Entities& entities;
    service::Uploads& uploads;
    service::Playback& playback;
    service::KeyRing& keys;
    service::Signer& signer;
    service::Signer& upload_signer;  // of URLs that take a chunk
    service::RateLimits& rate_limits;
    service::Quotas& quotas;
    objects::Objects& objects;
    observe::Metrics& metrics;
    std::string public_url;            // empty: the address the client used
    std::function<bool()> is_serving;  // false once shutdown began
};

}  // namespace kinodex::api
