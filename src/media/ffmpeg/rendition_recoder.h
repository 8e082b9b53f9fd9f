// The decoder and the encoder between a source stream and an output stream. Child side.
#pragma once

#include <functional>
#include <string_view>

#include "media/ffmpeg/rendition_output.h"

namespace kinodex::media {

class Recoder {
  public:
    /// Takes what was decoded; it is only lent. Its errors end the work.
    using TakeFrame = std::function<base::Result<void>(AVFrame&)>;

    /// `output` must outlive this; `stream` is the number of one of its streams.
    Recoder(RenditionOutput& output, CodecContext decoder, CodecContext encoder, int stream)
        : output_(output),
          decoder_(std::move(decoder)),
          encoder_(std::move(encoder)),
          stream_(stream) {}

    [[nodiscard]] const AVCodecContext& decoder() const { return *decoder_; }
    [[nodiscard]] const AVCodecContext& encoder() const { return *encoder_; }

    /// Takes the packet's content and gives the frames that come out. A broken packet costs its
    /// own frame only. Errors: those of `take`.
    base::Result<void> decode(AVPacket& packet, const TakeFrame& take);
    /// After the last packet: the frames that the decoder still holds.
    base::Result<void> decode_rest(const TakeFrame& take);

    /// Encodes a frame and writes the packets that come out. `what` names the step in an error.
    /// Errors: file_unprocessable; those of the output.
    base::Result<void> encode(const AVFrame& frame, std::string_view what);
    /// After the last frame: writes the packets that the encoder still holds.
    base::Result<void> encode_rest();

  private:
    base::Result<void> drain_decoder(const TakeFrame& take);
    base::Result<void> drain_encoder();

    RenditionOutput& output_;
    CodecContext decoder_;
    CodecContext encoder_;
    int stream_;
    Frame frame_ = new_frame();
    Packet packet_ = new_packet();
};

}  // namespace kinodex::media
