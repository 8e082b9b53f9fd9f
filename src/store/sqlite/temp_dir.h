// A directory of a test's own, gone with everything in it when the test ends.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace kinodex::store::sqlite {

class TempDir {
  public:
    TempDir() {
        std::string name = std::filesystem::temp_directory_path() / "kinodex-store-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ~TempDir() {
        std::error_code ignored;  // nothing to do about it at the end of a test
        std::filesystem::remove_all(path_, ignored);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace kinodex::store::sqlite
