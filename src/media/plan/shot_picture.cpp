#include "media/plan/shot_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace kinodex::media::plan {
namespace {

// Blocks large enough that a wrong block seldom matches well by chance.
constexpr int kBlockColumns = 8;
constexpr int kBlockRows = 9;
// 4 of 48 columns between neighbouring frames: a pan across the whole picture in half a second.
constexpr int kShiftColumns = 4;
constexpr int kShiftRows = 3;
constexpr int kStride = SmallPicture::kColumns + 2 * kShiftColumns;
constexpr int kPaddedRows = SmallPicture::kRows + 2 * kShiftRows;

using Padded = std::array<std::uint8_t, static_cast<std::size_t>(kStride* kPaddedRows)>;

/// The plane with its border cells repeated outward, so that shifts need no bounds.
Padded pad(const SmallPicture::Plane& plane) {
    Padded out;
    for (int row = 0; row < kPaddedRows; ++row) {
        const int from_row = std::clamp(row - kShiftRows, 0, SmallPicture::kRows - 1);
        for (int column = 0; column < kStride; ++column) {
            const int from = std::clamp(column - kShiftColumns, 0, SmallPicture::kColumns - 1);
            out[static_cast<std::size_t>(row * kStride + column)] =
                plane[static_cast<std::size_t>(from_row * SmallPicture::kColumns + from)];
        }
    }
    return out;
}

int block_distance(const std::uint8_t* a, const std::uint8_t* b) {
    int sum = 0;
    for (int row = 0; row < kBlockRows; ++row) {
        for (int column = 0; column < kBlockColumns; ++column) {
            sum += std::abs(a[row * kStride + column] - b[row * SmallPicture::kColumns + column]);
        }
    }
    return sum;
}

int plane_distance(const SmallPicture::Plane& a, const SmallPicture::Plane& b) {
    int sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += std::abs(a[i] - b[i]);
    }
    return sum;
}

/// Sum over the cells that both pictures show when `a` is moved by (dx, dy); once it is above
/// `most` at a row's end, that sum.
int overlap_distance(const SmallPicture::Plane& a, const SmallPicture::Plane& b, int dx, int dy,
                     int most = 1 << 30) {
    const int columns = SmallPicture::kColumns - std::abs(dx);
    const int rows = SmallPicture::kRows - std::abs(dy);
    const std::uint8_t* from =
        &a[static_cast<std::size_t>(std::max(0, -dy) * SmallPicture::kColumns + std::max(0, -dx))];
    const std::uint8_t* to =
        &b[static_cast<std::size_t>(std::max(0, dy) * SmallPicture::kColumns + std::max(0, dx))];
    int sum = 0;
    for (int row = 0; row < rows && sum <= most; ++row) {
        for (int column = 0; column < columns; ++column) {
            sum += std::abs(from[column] - to[column]);
        }
        from += SmallPicture::kColumns;
        to += SmallPicture::kColumns;
    }
    return sum;
}

}  // namespace

double still_difference(const SmallPicture& a, const SmallPicture& b) {
    const int twice = 2 * plane_distance(a.luma, b.luma) + plane_distance(a.blue, b.blue) +
                      plane_distance(a.red, b.red);
    return twice / (2.0 * SmallPicture::kCells);
}

double difference(const SmallPicture& a, const SmallPicture& b) {
    // Below this no decision depends on whether motion explains it.
    constexpr double kPlainlyStill = 1.5;
    if (const double still = still_difference(a, b); still < kPlainlyStill) {
        return still;
    }
    const Padded luma = pad(a.luma);
    const Padded blue = pad(a.blue);
    const Padded red = pad(a.red);
    int twice = 0;
    for (int y = 0; y < SmallPicture::kRows; y += kBlockRows) {
        for (int x = 0; x < SmallPicture::kColumns; x += kBlockColumns) {
            const auto at = static_cast<std::size_t>(y * SmallPicture::kColumns + x);
            int best = 1 << 30;
            for (int dy = 0; dy <= 2 * kShiftRows; ++dy) {
                for (int dx = 0; dx <= 2 * kShiftColumns; ++dx) {
                    const auto from = static_cast<std::size_t>((y + dy) * kStride + x + dx);
                    int sum = 2 * block_distance(&luma[from], &b.luma[at]);
                    if (sum < best) {
                        sum += block_distance(&blue[from], &b.blue[at]) +
                               block_distance(&red[from], &b.red[at]);
                        best = std::min(best, sum);
                    }
                }
            }
            twice += best;
        }
    }
    return twice / (2.0 * SmallPicture::kCells);
}

double panned_difference(const SmallPicture& a, const SmallPicture& b, double most) {
    // At least a bit less than half of the picture must still be seen.
    constexpr int kPanColumns = 26;
    constexpr int kPanRows = 12;
    constexpr int kCellsMin = SmallPicture::kCells * 4 / 10;
    double best = most;
    int best_x = 0;
    int best_y = 0;
    for (int dy = -kPanRows; dy <= kPanRows; ++dy) {
        for (int dx = -kPanColumns; dx <= kPanColumns; ++dx) {
            const int columns = SmallPicture::kColumns - std::abs(dx);
            const int rows = SmallPicture::kRows - std::abs(dy);
            if (columns * rows < kCellsMin) {
                continue;
            }
            const int cells = columns * rows;
            const double mean =
                overlap_distance(a.luma, b.luma, dx, dy, static_cast<int>(best * cells)) /
                static_cast<double>(cells);
            if (mean < best) {
                best = mean;
                best_x = dx;
                best_y = dy;
            }
        }
    }
    if (best >= most) {
        return most;
    }
    const int cells =
        (SmallPicture::kColumns - std::abs(best_x)) * (SmallPicture::kRows - std::abs(best_y));
    const int chroma = overlap_distance(a.blue, b.blue, best_x, best_y) +
                       overlap_distance(a.red, b.red, best_x, best_y);
    return best + chroma / (2.0 * cells);
}

double palette_difference(const SmallPicture& a, const SmallPicture& b) {
    // Wide, overlapping bins: a slight change of light must not move everything to the next one.
    constexpr int kBinBits = 4;
    constexpr std::size_t kBins = (256 >> kBinBits) + 1;
    const auto spread = [](const SmallPicture::Plane& plane) {
        std::array<double, kBins> bins{};
        for (const int value : plane) {
            const double upper =
                (value & ((1 << kBinBits) - 1)) / static_cast<double>(1 << kBinBits);
            const auto bin = static_cast<std::size_t>(value >> kBinBits);
            bins[bin] += 1 - upper;
            bins[bin + 1] += upper;
        }
        return bins;
    };
    double most = 0;
    for (const auto plane : {&SmallPicture::luma, &SmallPicture::blue, &SmallPicture::red}) {
        const auto of_a = spread(a.*plane);
        const auto of_b = spread(b.*plane);
        double sum = 0;
        for (std::size_t i = 0; i < kBins; ++i) {
            sum += std::abs(of_a[i] - of_b[i]);
        }
        most = std::max(most, sum / (2.0 * SmallPicture::kCells));
    }
    return most;
}

LumaStatistics luma_statistics(const SmallPicture& picture) {
    double sum = 0;
    double squares = 0;
    for (const int value : picture.luma) {
        sum += value;
        squares += value * value;
    }
    const double mean = sum / SmallPicture::kCells;
    return {mean, std::sqrt(std::max(0.0, squares / SmallPicture::kCells - mean * mean))};
}

double correlation(const SmallPicture& a, const SmallPicture& b) {
    const LumaStatistics of_a = luma_statistics(a);
    const LumaStatistics of_b = luma_statistics(b);
    if (of_a.deviation < 1 || of_b.deviation < 1) {
        return 0;
    }
    double sum = 0;
    for (std::size_t i = 0; i < a.luma.size(); ++i) {
        sum += (a.luma[i] - of_a.mean) * (b.luma[i] - of_b.mean);
    }
    return sum / SmallPicture::kCells / (of_a.deviation * of_b.deviation);
}

Mix mix_of(const SmallPicture& from, const SmallPicture& to, const SmallPicture& between) {
    double along = 0;
    double length = 0;
    double offset = 0;
    for (std::size_t i = 0; i < from.luma.size(); ++i) {
        const double whole = to.luma[i] - from.luma[i];
        const double part = between.luma[i] - from.luma[i];
        along += whole * part;
        length += whole * whole;
        offset += part * part;
    }
    if (length <= 0) {
        return {0, offset > 0 ? 1.0 : 0.0};
    }
    const double share = along / length;
    return {share, std::sqrt(std::max(0.0, offset - share * along) / length)};
}

}  // namespace kinodex::media::plan
