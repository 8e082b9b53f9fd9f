// For tests: small files made by the ffmpeg command in a directory that goes away.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/unique_fd.h"

namespace kinodex::media {

class MadeMedia {
  public:
    MadeMedia() {
        std::string pattern = (std::filesystem::temp_directory_path() / "kinodex-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
    }
    ~MadeMedia() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    MadeMedia(const MadeMedia&) = delete;
    MadeMedia& operator=(const MadeMedia&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const {
        return (directory_ / name).string();
    }

    /// Runs `ffmpeg ARGUMENTS NAME` there. Input files are named relative to the directory.
    base::UniqueFd make(const std::string& name, const std::string& arguments) const {
        const std::string command = "cd '" + directory_.string() +
                                    "' && ffmpeg -nostdin -loglevel error -y " + arguments + " " +
                                    name;
        EXPECT_EQ(std::system(command.c_str()), 0) << command;
        return open(name);
    }

    base::UniqueFd write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
        return open(name);
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream file(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    [[nodiscard]] base::UniqueFd open(const std::string& name) const {
        base::UniqueFd fd(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC));
        EXPECT_TRUE(static_cast<bool>(fd)) << name;
        return fd;
    }

  private:
    std::filesystem::path directory_;
};

inline constexpr const char* kOneSecond = "-f lavfi -i testsrc2=s=320x180:r=25:d=1 ";
inline constexpr const char* kOneBeep = "-f lavfi -i sine=d=1 ";
inline constexpr const char* kOnePicture = "-f lavfi -i testsrc2=s=320x180 -frames:v 1 ";

}  // namespace kinodex::media
