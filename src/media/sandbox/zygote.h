// The zygote: one single-threaded process with the media libraries loaded, which forks a child for
// each job and tells the server how it ended.
//
// The server starts it as `kinodex media-zygote` with a socket on descriptor 3. It reads no media
// and parses nothing but orders of the server. When the server goes, it and its children go.
#pragma once

#include <functional>

#include "media/child.h"

namespace kinodex::media {

/// The hidden subcommand under which the server starts its own binary again.
inline constexpr const char* kZygoteCommand = "media-zygote";

/// The child side, handed in so that this folder does not see FFmpeg.
struct ChildFunctions {
    std::function<void()> warm_up;
    std::function<base::Result<ProbeReport>(const ProbeRequest&)> probe;
    std::function<base::Result<void>(const ThumbnailRequest&)> thumbnail;
    std::function<base::Result<void>(const RenditionRequest&, const Progress&)> rendition;
    std::function<base::Result<AnalyzeReport>(const AnalyzeRequest&, const Progress&)> analyze;
};

/// Serves until the server closes its end; the exit code of the process. Called from main before
/// anything else: no thread may be running, and no log or store be open.
int run_zygote(const ChildFunctions& functions);

}  // namespace kinodex::media
