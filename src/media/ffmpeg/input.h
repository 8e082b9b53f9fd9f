// Opening untrusted media: a demuxer over one descriptor, and nothing else.
//
// Reads go through pread on the descriptor that was given, so the position is the demuxer's own.
// Only demuxers of real media files are allowed (no playlists, no concat scripts, no devices) and
// any attempt of a file to open another file or URL fails: there is no protocol to open it with.
#pragma once

#include <memory>

#include "media/ffmpeg/av.h"

namespace kinodex::media {

/// Reads that a probe may spend before giving up on finding stream parameters.
inline constexpr std::int64_t kProbeBytesMax = 16 * 1024 * 1024;

class Input {
  public:
    /// Opens the demuxer; `find_streams` then fills in stream parameters by reading a bit.
    /// Errors: file_unprocessable with FFmpeg's reason in the detail.
    static base::Result<Input> open(int fd);
    base::Result<void> find_streams();

    Input(Input&&) noexcept;
    Input& operator=(Input&&) noexcept;
    ~Input();

    [[nodiscard]] AVFormatContext* get() const;
    AVFormatContext* operator->() const { return get(); }
    [[nodiscard]] std::int64_t size_bytes() const;
    /// The best stream of a kind by FFmpeg's own rule (cover art never wins over real video);
    /// null when there is none.
    [[nodiscard]] AVStream* best_stream(AVMediaType type) const;

  private:
    struct State;
    explicit Input(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// An opened decoder for `stream`; one thread. `skip` e.g. AVDISCARD_NONKEY.
base::Result<CodecContext> open_decoder(const AVStream& stream, AVDiscard skip = AVDISCARD_DEFAULT);

/// The rotation stored with the stream: 0, 90, 180 or 270 degrees clockwise for display.
int rotation_of(const AVStream& stream);

}  // namespace kinodex::media
