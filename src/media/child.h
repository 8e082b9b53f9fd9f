// The child side of media work: what runs inside the sandbox, and how it reports.
//
// `media/sandbox` receives a request message, hands over descriptors and calls one of these
// functions in a fresh child process. They run under the seccomp filter and limits: no files but
// the given descriptors, no network. They may crash; the parent copes.
#pragma once

#include <functional>

#include "media/media.h"

namespace kinodex::media {

/// Called by long operations with 0 to 1.
using Progress = std::function<void(double)>;

/// Everything expensive that can be done once, before children are forked: registers codecs, loads
/// tables. Runs before the seccomp filter is installed.
void warm_up();

base::Result<ProbeReport> probe_file(const ProbeRequest& request);
base::Result<void> make_thumbnail(const ThumbnailRequest& request);
base::Result<void> make_rendition(const RenditionRequest& request, const Progress& progress);
base::Result<AnalyzeReport> analyze_file(const AnalyzeRequest& request, const Progress& progress);

}  // namespace kinodex::media
