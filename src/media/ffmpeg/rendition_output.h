// The MP4 that a rendition is written into. Child side.
#pragma once

#include <memory>
#include <vector>

#include "media/ffmpeg/input.h"

namespace kinodex::media {

/// An MP4 muxer over a seekable descriptor. Add streams, `start`, `write`, `finish`.
/// Errors of every call: storage_full, file_unprocessable when the muxer refuses, internal.
class RenditionOutput {
  public:
    static base::Result<RenditionOutput> open(int fd);
    RenditionOutput(RenditionOutput&&) noexcept;
    RenditionOutput& operator=(RenditionOutput&&) noexcept;
    ~RenditionOutput();

    /// A stream whose packets are copied from `source`. Returns its number.
    base::Result<int> add_copy(const AVStream& source);
    /// A stream that `encoder` makes from `source`.
    base::Result<int> add_encoded(const AVStream& source, const AVCodecContext& encoder);
    base::Result<void> start();
    /// Takes the packet's content; times are in `time_base`. Decode times that do not ascend are
    /// moved up, as the muxer insists.
    base::Result<void> write(AVPacket& packet, int stream, AVRational time_base);
    base::Result<void> finish();

  private:
    struct State;
    explicit RenditionOutput(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::media
