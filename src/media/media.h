// Media: everything that touches untrusted media bytes, as seen by the server.
//
// Each call runs in a short-lived, sandboxed child process that is given descriptors and nothing
// else; probes may share one by their key. A child that crashes, hangs or eats memory fails its one
// call: what fails in a child that has seen other files is tried again in a new one. Descriptors
// stay owned by the caller and must stay open until the call returns. Calls may be repeated.
// Errors of every call: media_worker_unavailable (retry later), overloaded, and file_unprocessable
// when the child crashed, ran out of its limits or was killed on time-out (detail says which).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/asset.h"
#include "runtime/task.h"

namespace kinodex::media {

using runtime::Asked;

/// How the file can be played over HLS.
enum class Playback {
    none,       // an image, or nothing playable
    packaged,   // from the source's own bytes, by the plan
    remux,      // codecs are fine but the container does not keep packets in one piece
    transcode,  // a codec that browsers do not play
};

struct ProbeRequest {
    int source_fd = -1;
    int plan_fd = -1;  // when >= 0 and playback is `packaged`, the playback plan is written here
    /// Files of one key may be looked at by one child, one after the other; a key stands for whom
    /// it would hurt if one file bent what is told of the next. Empty: a child of its own.
    std::string isolation_key{};
};

/// What the bytes are. Exactly one of the outcomes: a type that is supported, or a `refusal`.
struct ProbeReport {
    domain::AssetType type = domain::AssetType::unknown;
    std::string file_type;         // MIME, from the bytes
    std::string container_format;  // FFmpeg's name of the demuxer
    std::optional<double> duration_sec;
    std::optional<double> fps;
    std::optional<int> width;  // as displayed: rotated, with square pixels not applied
    std::optional<int> height;
    bool has_audio = false;
    bool has_video = false;
    std::string technical_metadata;  // JSON object in the wire's shape
    Playback playback = Playback::none;
    bool plan_written = false;
    /// Set when the file is not usable: asset_type_unsupported, video_file_broken,
    /// audio_file_broken, image_broken, audio_format_unsupported, file_unprocessable,
    /// video_file_live (a playlist).
    std::optional<base::Error> refusal;
};

struct ThumbnailRequest {
    int source_fd = -1;
    int out_fd = -1;       // JPEG is written here
    int max_width = 1280;  // larger pictures are scaled down, aspect kept
    domain::AssetType type = domain::AssetType::video;
};

/// Told how far long work is, 0 to 1, and awaited where the work is. False ends the work: nobody
/// wants it any more, and its call fails with media_worker_unavailable.
using OnProgress = std::function<runtime::Task<bool>(double)>;

struct RenditionRequest {
    int source_fd = -1;
    int out_fd = -1;            // an MP4 is written here; seekable
    int plan_fd = -1;           // and its playback plan here
    bool copy_streams = false;  // remux when true, transcode to H.264/AAC what needs it when false
    OnProgress on_progress;
};

struct Shot {
    double start_sec = 0;
    double end_sec = 0;
    double picture_sec = 0;            // where the key picture was taken
    std::uint64_t picture_offset = 0;  // JPEG bytes in pictures_fd
    std::uint64_t picture_bytes = 0;
};

struct TimeRange {
    double start_sec = 0;
    double end_sec = 0;
};

struct AudioReport {
    double duration_sec = 0;
    double integrated_lufs = 0;  // EBU R128; -70 for silence
    double loudness_range_lu = 0;
    double true_peak_dbtp = 0;
    std::vector<float> loudness_lufs;  // momentary, one value each 400 ms
    std::vector<TimeRange> silences;
};

struct AnalyzeRequest {
    int source_fd = -1;
    int pictures_fd = -1;  // one JPEG per shot, one after the other
    int audio_fd = -1;     // WAV, 16 kHz mono, 16 bit
    OnProgress on_progress;
};

struct AnalyzeReport {
    std::vector<Shot> shots;           // contiguous, cover the video; empty without video
    std::optional<AudioReport> audio;  // unset without audio
};

class Media {
  public:
    virtual ~Media() = default;
    virtual Asked<ProbeReport> probe(ProbeRequest request) = 0;
    virtual Asked<void> thumbnail(ThumbnailRequest request) = 0;
    virtual Asked<void> rendition(RenditionRequest request) = 0;
    virtual Asked<AnalyzeReport> analyze(AnalyzeRequest request) = 0;
    /// Kills running children; later calls fail with media_worker_unavailable.
    virtual void stop() = 0;
};

}  // namespace kinodex::media
