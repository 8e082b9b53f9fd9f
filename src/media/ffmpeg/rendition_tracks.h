// The tracks of a rendition: each takes packets of one source stream and writes packets of one
// output stream, either the same ones or newly encoded ones. Child side.
#pragma once

#include <memory>

#include "media/ffmpeg/rendition_output.h"

namespace kinodex::media {

class RenditionTrack {
  public:
    virtual ~RenditionTrack() = default;
    /// Takes the packet's content; its times count from the start of the file. Broken packets are
    /// skipped. Errors: those of the output.
    virtual base::Result<void> take(AVPacket& packet) = 0;
    /// After the last packet.
    virtual base::Result<void> flush() = 0;
};

using RenditionTrackPtr = std::unique_ptr<RenditionTrack>;

/// `output` must outlive the track. Errors: file_unprocessable when there is no such decoder or its
/// parameters make no picture or sound.
base::Result<RenditionTrackPtr> copy_track(RenditionOutput& output, const AVStream& source);
/// H.264, 8 bits, 4:2:0, a key frame every two seconds; rotation and aspect ratio stay metadata.
base::Result<RenditionTrackPtr> video_track(RenditionOutput& output, const Input& input,
                                            const AVStream& source);
/// AAC-LC; gaps in the sound become silence, so that it stays with the pictures.
base::Result<RenditionTrackPtr> audio_track(RenditionOutput& output, const AVStream& source);

}  // namespace kinodex::media
