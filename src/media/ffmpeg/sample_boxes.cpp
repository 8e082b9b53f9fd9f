#include "media/ffmpeg/sample_boxes.h"

#include <algorithm>
#include <limits>

#include "media/plan/plan.h"

namespace kinodex::media {
namespace {

using plan::Taker;

std::unexpected<base::Error> broken(std::string_view what) {
    return base::fail(base::Errc::file_unprocessable, {}, "mp4: " + std::string(what));
}

/// A run-length table: `count` times `value`, then on to the next row.
class Runs {
  public:
    explicit Runs(ByteSpan box) : rows_(box) {
        rows_.be<std::uint32_t>();  // version and flags
        left_ = rows_.be<std::uint32_t>();
    }
    /// The value for the next sample; the last one again when the table has run out.
    std::uint32_t next() {
        while (repeat_ == 0 && left_ > 0 && rows_.left() >= 8) {
            repeat_ = rows_.be<std::uint32_t>();
            value_ = rows_.be<std::uint32_t>();
            --left_;
        }
        if (repeat_ > 0) {
            --repeat_;
        }
        return value_;
    }
    [[nodiscard]] bool is_over() const { return repeat_ == 0 && (left_ == 0 || rows_.left() < 8); }

  private:
    Taker rows_;
    std::uint32_t left_ = 0;
    std::uint32_t repeat_ = 0;
    std::uint32_t value_ = 0;
};

/// Sizes of samples, from `stsz` or the compact `stz2`.
class Sizes {
  public:
    explicit Sizes(ByteSpan stbl) : rows_({}) {
        if (const auto stsz = child(stbl, "stsz"); !stsz.empty()) {
            rows_ = Taker(stsz);
            rows_.be<std::uint32_t>();
            same_ = rows_.be<std::uint32_t>();
            count_ = rows_.be<std::uint32_t>();
            bits_ = 32;
        } else {
            rows_ = Taker(child(stbl, "stz2"));
            rows_.be<std::uint32_t>();
            bits_ = rows_.be<std::uint32_t>() & 0xFFU;
            count_ = rows_.be<std::uint32_t>();
        }
        if (same_ == 0 && bits_ > 0) {
            count_ = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(count_, std::uint64_t{rows_.left()} * 8 / bits_));
        }
    }
    [[nodiscard]] bool is_sound() const {
        return same_ != 0 || bits_ == 4 || bits_ == 8 || bits_ == 16 || bits_ == 32;
    }
    [[nodiscard]] std::uint32_t count() const { return count_; }
    std::uint32_t next() {
        if (same_ != 0) {
            return same_;
        }
        switch (bits_) {
            case 32:
                return rows_.be<std::uint32_t>();
            case 16:
                return rows_.be<std::uint16_t>();
            case 8:
                return rows_.be<std::uint8_t>();
            default:
                if (has_low_half_) {
                    has_low_half_ = false;
                    return pair_ & 0xFU;
                }
                pair_ = rows_.be<std::uint8_t>();
                has_low_half_ = true;
                return pair_ >> 4U;
        }
    }

  private:
    Taker rows_;
    std::uint32_t same_ = 0;
    std::uint32_t bits_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t pair_ = 0;
    bool has_low_half_ = false;
};

/// Chunk offsets, from `stco` or `co64`.
class Chunks {
  public:
    explicit Chunks(ByteSpan stbl) : rows_(child(stbl, "stco")) {
        if (rows_.left() == 0) {
            rows_ = Taker(child(stbl, "co64"));
            is_wide_ = true;
        }
        rows_.be<std::uint32_t>();
        left_ = rows_.be<std::uint32_t>();
        if (!rows_.ok()) {
            left_ = 0;
        }
    }
    std::optional<std::uint64_t> next() {
        if (left_ == 0 || rows_.left() < (is_wide_ ? 8U : 4U)) {
            return std::nullopt;
        }
        --left_;
        return is_wide_ ? rows_.be<std::uint64_t>() : std::uint64_t{rows_.be<std::uint32_t>()};
    }

  private:
    Taker rows_;
    std::uint32_t left_ = 0;
    bool is_wide_ = false;
};

/// How many samples each chunk has, from `stsc`.
class ChunkRuns {
  public:
    explicit ChunkRuns(ByteSpan box) : rows_(box) {
        rows_.be<std::uint32_t>();
        left_ = rows_.be<std::uint32_t>();
        load();
        per_chunk_ = upcoming_per_chunk_;
    }
    std::uint32_t next() {
        ++chunk_;
        while (has_upcoming_ && chunk_ >= upcoming_chunk_) {
            per_chunk_ = upcoming_per_chunk_;
            load();
        }
        return per_chunk_;
    }
    [[nodiscard]] bool has_many_descriptions() const { return has_many_; }

  private:
    void load() {
        has_upcoming_ = left_ > 0 && rows_.left() >= 12;
        if (has_upcoming_) {
            --left_;
            upcoming_chunk_ = rows_.be<std::uint32_t>();
            upcoming_per_chunk_ = rows_.be<std::uint32_t>();
            has_many_ |= rows_.be<std::uint32_t>() > 1;
        }
    }
    Taker rows_;
    std::uint32_t left_ = 0;
    std::uint32_t chunk_ = 0;
    std::uint32_t per_chunk_ = 0;
    std::uint32_t upcoming_chunk_ = 0;
    std::uint32_t upcoming_per_chunk_ = 0;
    bool has_upcoming_ = false;
    bool has_many_ = false;
};

/// Marks the samples that `stss` names; without the box every sample is a key frame.
void mark_keys(ByteSpan stbl, std::vector<IndexedSample>& samples,
               const std::vector<std::uint32_t>& numbers) {
    const auto stss = child(stbl, "stss");
    if (stss.empty()) {
        for (IndexedSample& sample : samples) {
            sample.is_key = true;
        }
        return;
    }
    Taker rows(stss);
    rows.be<std::uint32_t>();
    std::uint32_t left = rows.be<std::uint32_t>();
    while (left-- > 0 && rows.left() >= 4) {
        const auto found = std::ranges::lower_bound(numbers, rows.be<std::uint32_t>());
        // Rows ascend in a sound file; in another one each row still finds its own sample.
        if (found != numbers.end()) {
            samples[static_cast<std::size_t>(found - numbers.begin())].is_key = true;
        }
    }
}

}  // namespace

std::optional<Box> next_box(ByteSpan& bytes) {
    Taker take(bytes);
    std::uint64_t size = take.be<std::uint32_t>();
    const auto type = take.be<std::uint32_t>();
    std::size_t head = 8;
    if (size == 1) {
        size = take.be<std::uint64_t>();
        head = 16;
    } else if (size == 0) {
        size = bytes.size();
    }
    if (!take.ok() || size < head || size > bytes.size()) {
        return std::nullopt;
    }
    const Box box{type, bytes.subspan(head, static_cast<std::size_t>(size) - head)};
    bytes = bytes.subspan(static_cast<std::size_t>(size));
    return box;
}

std::vector<Box> children(ByteSpan parent) {
    std::vector<Box> found;
    while (found.size() < kChildBoxesMax) {
        const auto box = next_box(parent);
        if (!box) {
            break;
        }
        found.push_back(*box);
    }
    return found;
}

ByteSpan child(ByteSpan parent, std::string_view type) {
    for (std::size_t i = 0; i < kChildBoxesMax; ++i) {
        const auto box = next_box(parent);
        if (!box) {
            break;
        }
        if (box->type == box_type(type)) {
            return box->body;
        }
    }
    return {};
}

base::Result<void> read_sample_tables(ByteSpan stbl, std::uint64_t source_bytes, BoxTrack& track) {
    Sizes sizes(stbl);
    if (!sizes.is_sound() || sizes.count() > plan::kSamplesMax) {
        return broken("sample sizes out of bounds");
    }
    const auto ctts = child(stbl, "ctts");
    Runs durations(child(stbl, "stts"));
    Runs offsets(ctts);
    Chunks chunks(stbl);
    ChunkRuns chunk_runs(child(stbl, "stsc"));
    std::vector<std::uint32_t> numbers;  // 1-based, of the samples that are kept
    std::int64_t dts = 0;
    std::uint32_t number = 0;
    bool is_cut = false;
    while (number < sizes.count() && !is_cut) {
        const auto chunk = chunks.next();
        if (!chunk) {
            break;
        }
        std::uint64_t at = *chunk;
        for (std::uint32_t left = chunk_runs.next(); left > 0 && number < sizes.count(); --left) {
            ++number;
            IndexedSample sample;
            sample.offset = at;
            sample.size = sizes.next();
            sample.duration = durations.next();
            // Version 0 calls the offset unsigned, yet writers store negative ones in it.
            sample.pts =
                dts +
                (ctts.empty() || offsets.is_over() ? 0 : static_cast<std::int32_t>(offsets.next()));
            if (at > source_bytes || sample.size > source_bytes - at) {
                is_cut = true;
                break;
            }
            at += sample.size;
            dts += sample.duration;
            if (sample.size > 0) {
                track.samples.push_back(sample);
                numbers.push_back(number);
            }
        }
    }
    mark_keys(stbl, track.samples, numbers);
    track.next_dts = dts;
    track.has_many_descriptions = chunk_runs.has_many_descriptions();
    return {};
}

}  // namespace kinodex::media
