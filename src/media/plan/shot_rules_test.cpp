#include "media/plan/shot_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace kinodex::media::plan {
namespace {

// A world of smooth random texture, seen through a window that may move.
class World {
  public:
    explicit World(unsigned seed) {
        std::mt19937 random(seed);
        for (auto& each : points_) {
            each = static_cast<double>(random() % 200) + 20;
        }
    }
    [[nodiscard]] SmallPicture seen_at(double x, double y) const {
        SmallPicture picture;
        for (int row = 0; row < SmallPicture::kRows; ++row) {
            for (int column = 0; column < SmallPicture::kColumns; ++column) {
                const auto at = static_cast<std::size_t>(row * SmallPicture::kColumns + column);
                picture.luma[at] = static_cast<std::uint8_t>(value(x + column, y + row));
                picture.blue[at] = 128;
                picture.red[at] = 128;
            }
        }
        return picture;
    }

  private:
    static constexpr int kSide = 64;
    static constexpr double kCell = 4;  // texture points are this many cells apart
    [[nodiscard]] double point(int x, int y) const {
        return points_[static_cast<std::size_t>((y & (kSide - 1)) * kSide + (x & (kSide - 1)))];
    }
    [[nodiscard]] double value(double x, double y) const {
        const double px = x / kCell;
        const double py = y / kCell;
        const int ix = static_cast<int>(std::floor(px));
        const int iy = static_cast<int>(std::floor(py));
        const double fx = px - ix;
        const double fy = py - iy;
        return (point(ix, iy) * (1 - fx) + point(ix + 1, iy) * fx) * (1 - fy) +
               (point(ix, iy + 1) * (1 - fx) + point(ix + 1, iy + 1) * fx) * fy;
    }
    std::array<double, static_cast<std::size_t>(kSide* kSide)> points_{};
};

SmallPicture mixed(const SmallPicture& from, const SmallPicture& to, double share) {
    SmallPicture picture = from;
    for (std::size_t i = 0; i < picture.luma.size(); ++i) {
        picture.luma[i] =
            static_cast<std::uint8_t>(from.luma[i] * (1 - share) + to.luma[i] * share);
    }
    return picture;
}

SmallPicture flat(std::uint8_t luma) {
    SmallPicture picture;
    picture.luma.fill(luma);
    picture.blue.fill(128);
    picture.red.fill(128);
    return picture;
}

std::vector<std::int64_t> boundaries_of(const std::vector<SmallPicture>& film) {
    ShotFinder finder;
    std::vector<std::int64_t> found;
    const auto keep = [&found](const std::vector<Boundary>& boundaries) {
        for (const auto& each : boundaries) {
            found.push_back(each.frame);
        }
    };
    for (std::size_t i = 0; i < film.size(); ++i) {
        finder.add_frame(static_cast<double>(i) / 25);
        finder.add_sample(static_cast<std::int64_t>(i), film[i]);
        keep(finder.settle());
    }
    keep(finder.finish());
    return found;
}

using Frames = std::vector<std::int64_t>;

const World kOld(1);
const World kNew(2);

TEST(ShotFinder, finds_a_cut_at_its_first_frame) {
    std::vector<SmallPicture> film(40, kOld.seen_at(0, 0));
    film.insert(film.end(), 60, kNew.seen_at(0, 0));
    EXPECT_EQ(boundaries_of(film), Frames{40});
}

TEST(ShotFinder, follows_a_fast_pan) {
    std::vector<SmallPicture> film;
    for (int i = 0; i < 120; ++i) {
        film.push_back(kOld.seen_at(1.7 * i, 0.4 * i));
    }
    EXPECT_EQ(boundaries_of(film), Frames{});
}

TEST(ShotFinder, finds_a_cut_between_pans) {
    std::vector<SmallPicture> film;
    for (int i = 0; i < 120; ++i) {
        film.push_back((i < 71 ? kOld : kNew).seen_at(1.7 * i, 0.4 * i));
    }
    EXPECT_EQ(boundaries_of(film), Frames{71});
}

TEST(ShotFinder, ignores_flashes_of_one_to_three_frames) {
    for (int length = 1; length <= 3; ++length) {
        std::vector<SmallPicture> film(100, kOld.seen_at(0, 0));
        for (int i = 0; i < length; ++i) {
            film[static_cast<std::size_t>(50 + i)] = flat(235);
        }
        EXPECT_EQ(boundaries_of(film), Frames{}) << length << " frames";
    }
}

TEST(ShotFinder, puts_a_fade_through_black_in_its_middle) {
    std::vector<SmallPicture> film;
    for (int i = 0; i < 150; ++i) {
        const bool is_old = i < 70;
        const double light = std::clamp((std::abs(i - 70) - 2) / 10.0, 0.0, 1.0);
        film.push_back(mixed(flat(16), (is_old ? kOld : kNew).seen_at(0, 0), light));
    }
    const auto found = boundaries_of(film);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NEAR(static_cast<double>(found[0]), 70, 1);
}

TEST(ShotFinder, puts_a_dissolve_where_both_shots_weigh_the_same) {
    std::vector<SmallPicture> film;
    for (int i = 0; i < 150; ++i) {
        const double share = std::clamp((i - 60) / 20.0, 0.0, 1.0);
        film.push_back(mixed(kOld.seen_at(0.02 * i, 0), kNew.seen_at(0, 0.02 * i), share));
    }
    const auto found = boundaries_of(film);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NEAR(static_cast<double>(found[0]), 70, 2);
}

TEST(ShotFinder, fades_at_the_ends_of_the_film_are_no_boundaries) {
    std::vector<SmallPicture> film;
    for (int i = 0; i < 100; ++i) {
        const double light = std::min({i / 12.0, (99 - i) / 12.0, 1.0});
        film.push_back(mixed(flat(16), kOld.seen_at(0, 0), light));
    }
    EXPECT_EQ(boundaries_of(film), Frames{});
}

TEST(ShotFinder, nothing_and_one_frame_have_no_boundaries) {
    EXPECT_EQ(boundaries_of({}), Frames{});
    EXPECT_EQ(boundaries_of({kOld.seen_at(0, 0)}), Frames{});
}

TEST(ShotFinder, frames_that_were_not_looked_at_stay_one_shot) {
    ShotFinder finder;
    for (int i = 0; i < 101; ++i) {
        finder.add_frame(i / 25.0);
    }
    finder.add_sample(0, kOld.seen_at(0, 0));
    finder.add_sample(50, kOld.seen_at(30, 20), Link::same_shot);
    finder.add_sample(100, kNew.seen_at(0, 0), Link::cut);
    const auto found = finder.finish();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].frame, 100);
    EXPECT_DOUBLE_EQ(found[0].time_sec, 4.0);
}

TEST(SmallPictures, panned_difference_tells_a_pan_from_a_new_scene) {
    const auto here = kOld.seen_at(0, 0);
    EXPECT_LT(panned_difference(here, kOld.seen_at(18, 5)), kSameScene);
    EXPECT_GT(panned_difference(here, kNew.seen_at(0, 0)), 2 * kSameScene);
}

TEST(SmallPictures, panned_difference_is_exact_below_what_is_asked_for) {
    const auto here = kOld.seen_at(0, 0);
    const auto moved = kOld.seen_at(18, 5);
    EXPECT_DOUBLE_EQ(panned_difference(here, moved, kSameScene), panned_difference(here, moved));
    EXPECT_GE(panned_difference(here, kNew.seen_at(0, 0), kSameScene), kSameScene);
}

TEST(SmallPictures, motion_is_nothing_plainly_new) {
    const auto here = kOld.seen_at(0, 0);
    const auto moved = kOld.seen_at(18, 5);
    SmallPicture other = kNew.seen_at(0, 0);
    other.blue.fill(170);
    EXPECT_TRUE(is_motion(here, moved));
    EXPECT_FALSE(is_plainly_new(here, moved));
    EXPECT_TRUE(is_plainly_new(here, other));
    // Out of the dark or into the light may be a fade or a flash.
    SmallPicture bright = other;
    bright.luma.fill(230);
    EXPECT_FALSE(is_plainly_new(here, bright));
}

TEST(SmallPictures, mix_says_how_much_of_each) {
    const auto from = kOld.seen_at(0, 0);
    const auto to = kNew.seen_at(0, 0);
    const Mix mix = mix_of(from, to, mixed(from, to, 0.25));
    EXPECT_NEAR(mix.share, 0.25, 0.02);
    EXPECT_LT(mix.residual, 0.05);
    EXPECT_GT(mix_of(from, to, World(3).seen_at(0, 0)).residual, 0.4);
}

}  // namespace
}  // namespace kinodex::media::plan
