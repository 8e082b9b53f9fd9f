// Shot boundaries of a video stream from one pass over its packets.
//
// Only key frames are decoded, until something between two of them is worth a look: they differ,
// or a packet is far larger than its neighbours, as the first frame after a cut is. Then single
// packets of that group of pictures are looked at alone, and where they do not tell, the group is
// decoded as far and as densely as the question needs. Rules about what is a boundary are in
// media/plan/shot_rules.h. Memory: the packets of one group, some frames.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "media/ffmpeg/shots_decoder.h"
#include "media/ffmpeg/shots_glimpse.h"
#include "media/ffmpeg/shots_pictures.h"
#include "media/ffmpeg/shots_sample.h"
#include "media/plan/shot_rules.h"

namespace kinodex::media {

/// A group that grows past these is decoded frame by frame from there on: 10 s of 4K at 30 Mbit/s,
/// 50 s at 30 frames a second.
inline constexpr std::size_t kGroupBytesMax = 40 * 1024 * 1024;
inline constexpr std::size_t kGroupPacketsMax = 1500;
/// Frames between that are waited for after a key frame; more than encoders put there.
inline constexpr std::size_t kFollowingPacketsMax = 17;
/// Where every frame is a key frame, one in this many is looked at first.
inline constexpr std::size_t kIntraGroupPackets = 12;
/// Shots beyond this many are not looked for: one a second for 50 hours.
inline constexpr std::size_t kShotsMax = 200'000;

class ShotTrack {
  public:
    /// `file_start_sec` is the file's presentation start, from which shots are counted.
    static base::Result<ShotTrack> open(const AVStream& stream, double file_start_sec,
                                        int pictures_fd);

    /// The stream's packets in decoding order.
    base::Result<void> push(const AVPacket& packet);
    /// Empty when not one frame decodes.
    base::Result<std::vector<Shot>> finish();

  private:
    using Samples = std::map<std::int64_t, plan::SmallPicture>;  // by frame number
    struct Held {
        Packet packet;
        std::int64_t time = 0;  // presentation, ticks
        bool is_key = false;
        bool is_between = false;  // shown before a packet that was decoded earlier: a B frame
    };
    using Group = std::vector<Held>;
    /// What key frames and packet sizes say about a group.
    enum class Verdict { same_shot, cut_at_end, cut_at_spike, look_inside };
    /// What to decode of a group.
    struct Pass {
        std::vector<PlannedPacket> packets;
        std::int64_t may_stop_at =
            0;  // frame from which on looking like the next key frame ends it
    };

    /// What single packets say of a group whose key frames differ.
    struct CutSearch {
        std::optional<std::int64_t> cut;  // the one, and nothing else happens
        bool has_none = false;            // no packet of the group begins a scene
    };

    /// How the camera moves the picture, in pixels a frame.
    struct Motion {
        double x = 0;
        double y = 0;
    };

    ShotTrack(const AVStream& stream, ShotDecoder decoder, std::optional<PacketGlimpses> glimpses,
              double file_start_sec, int pictures_fd);

    [[nodiscard]] bool takes_following(const Held& held) const;
    base::Result<void> close_group();
    base::Result<void> analyze_group();
    base::Result<void> report(const std::vector<plan::Boundary>& boundaries);
    void begin_long_group();
    void end_long_group();
    void take_long(const AVFrame& frame);

    [[nodiscard]] double seconds(std::int64_t ticks) const;
    void lay_out_times();
    std::optional<plan::SmallPicture> look_at_key(const Held& held);
    [[nodiscard]] bool is_uneven(std::int64_t from, std::int64_t to) const;
    [[nodiscard]] bool is_calm(std::int64_t from, std::int64_t to) const;
    [[nodiscard]] bool has_even_tail(std::span<const std::size_t> but_for) const;
    [[nodiscard]] std::optional<std::int64_t> faint_spike() const;
    [[nodiscard]] std::optional<std::int64_t> clean_spike(const std::vector<bool>& spiking) const;
    [[nodiscard]] Verdict judge(const std::vector<bool>& spiking);
    [[nodiscard]] Verdict judge_even(bool is_by_clock, bool has_history,
                                     std::span<const std::size_t> cleared) const;
    [[nodiscard]] std::vector<std::size_t> possible_cuts() const;
    [[nodiscard]] bool stands_alone(std::size_t suspect) const;
    [[nodiscard]] CutSearch search_cut(std::span<const std::size_t> suspects);
    [[nodiscard]] bool follows_same_shot(std::size_t suspect);
    [[nodiscard]] CutSearch look_at_suspect(std::size_t suspect);
    [[nodiscard]] std::optional<Motion> motion_of(std::span<const AVPacket* const> packets,
                                                  std::int64_t time, double frames);
    [[nodiscard]] std::optional<Motion> motion_after_key(const Held& key,
                                                         std::span<const Held> after);
    [[nodiscard]] bool is_steady_pan();
    [[nodiscard]] std::vector<bool> spikes() const;
    [[nodiscard]] bool can_leave_out(const Held& held) const;
    [[nodiscard]] Pass plan_pass(const std::vector<bool>& wanted, std::int64_t may_stop_at) const;
    void run(const Pass& pass, Samples& into);
    [[nodiscard]] std::vector<bool> unresolved(const Samples& samples) const;
    [[nodiscard]] std::int64_t number_of(const Held& held) const;

    AVRational time_base_;
    std::int64_t tick_step_ = 1;  // one frame, where the container tells no times
    double file_start_sec_;
    AVCodecID codec_;
    ShotDecoder decoder_;
    std::optional<PacketGlimpses> glimpses_;  // of codecs that allow it
    FrameSampler sampler_;
    ShotPictures pictures_;
    plan::ShotFinder finder_;

    Group group_;      // starts at a key frame
    Group leading_;    // the next key frame and frames shown before it
    Group following_;  // the first frame after that one, and frames shown before it
    std::size_t group_bytes_ = 0;
    bool is_long_ = false;
    bool has_all_times_ = true;
    std::int64_t last_time_ = 0;
    std::int64_t end_time_ = 0;
    bool has_any_ = false;

    std::optional<Motion> pan_;                   // at the group's start, if it was looked for
    std::optional<Motion> next_pan_;              // of the group after it
    std::optional<std::int64_t> told_cut_;        // where packets alone place a cut
    base::Result<void> long_result_;              // of reports made while a long group runs
    plan::Link link_ = plan::Link::measured;      // of the group's key frame to what came before
    std::vector<std::int64_t> times_;             // of the group's shown frames, sorted
    std::int64_t base_ = 0;                       // number of the group's first frame
    std::optional<plan::SmallPicture> key_;       // of the group
    std::optional<plan::SmallPicture> next_key_;  // of the group after it
    std::deque<std::size_t> group_lengths_;       // of recent groups, in frames

    std::vector<Shot> shots_;
    double shot_start_sec_ = 0;
    bool has_frames_ = false;
};

}  // namespace kinodex::media
