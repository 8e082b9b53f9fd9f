#include "domain/names.h"

#include <array>
#include <cstddef>

namespace kinodex::domain {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 3> kAssetStatus{"processing", "ready", "failed"};
constexpr std::array<std::string_view, 3> kAssetMethod{"direct", "url", "multipart"};
constexpr std::array<std::string_view, 4> kAssetType{"unknown", "video", "audio", "image"};
constexpr std::array<std::string_view, 5> kDerivedStatus{"none", "pending", "processing", "ready",
                                                         "error"};
constexpr std::array<std::string_view, 5> kIndexingStatus{"pending", "queued", "indexing", "ready",
                                                          "failed"};
// The playback object of indexed assets has upper-case words on the wire.
constexpr std::array<std::string_view, 5> kStreamStatus{"NONE", "PROCESSING", "COMPLETE",
                                                        "CANCELED", "ERROR"};
constexpr std::array<std::string_view, 2> kEntityStatus{"processing", "ready"};
constexpr std::array<std::string_view, 7> kTaskStatus{
    "uploading", "validating", "pending", "queued", "indexing", "ready", "failed"};
constexpr std::array<std::string_view, 9> kJobKind{
    "ingest_asset", "make_thumbnail", "make_rendition", "index_asset", "remove_objects",
    "fetch_url",    "announce",       "deliver",        "check_entity"};

constexpr std::array<std::string_view, 3> kDeliveryState{"pending", "delivered", "failed"};
constexpr std::array<std::string_view, 3> kUploadStatus{"active", "completed", "expired"};

template <std::size_t N, class Enum>
std::string_view at(const std::array<std::string_view, N>& names, Enum value) {
    return names.at(static_cast<std::size_t>(value));
}

template <class Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) {
            return static_cast<Enum>(i);
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view name_of(AssetStatus value) {
    return at(kAssetStatus, value);
}
std::string_view name_of(AssetMethod value) {
    return at(kAssetMethod, value);
}
std::string_view name_of(AssetType value) {
    return at(kAssetType, value);
}
std::string_view name_of(DerivedStatus value) {
    return at(kDerivedStatus, value);
}
std::string_view name_of(IndexingStatus value) {
    return at(kIndexingStatus, value);
}
std::string_view name_of(StreamStatus value) {
    return at(kStreamStatus, value);
}
std::string_view name_of(EntityStatus value) {
    return at(kEntityStatus, value);
}
std::string_view name_of(TaskStatus value) {
    return at(kTaskStatus, value);
}
std::string_view name_of(JobKind value) {
    return at(kJobKind, value);
}
std::string_view name_of(DeliveryState value) {
    return at(kDeliveryState, value);
}
std::string_view name_of(UploadStatus value) {
    return at(kUploadStatus, value);
}

template <>
std::optional<AssetStatus> from_name(std::string_view name) {
    return find<AssetStatus>(kAssetStatus, name);
}
template <>
std::optional<AssetMethod> from_name(std::string_view name) {
    return find<AssetMethod>(kAssetMethod, name);
}
template <>
std::optional<AssetType> from_name(std::string_view name) {
    return find<AssetType>(kAssetType, name);
}
template <>
std::optional<DerivedStatus> from_name(std::string_view name) {
    return find<DerivedStatus>(kDerivedStatus, name);
}
template <>
std::optional<IndexingStatus> from_name(std::string_view name) {
    return find<IndexingStatus>(kIndexingStatus, name);
}
template <>
std::optional<StreamStatus> from_name(std::string_view name) {
    return find<StreamStatus>(kStreamStatus, name);
}
template <>
std::optional<EntityStatus> from_name(std::string_view name) {
    return find<EntityStatus>(kEntityStatus, name);
}
template <>
std::optional<TaskStatus> from_name(std::string_view name) {
    return find<TaskStatus>(kTaskStatus, name);
}
template <>
std::optional<JobKind> from_name(std::string_view name) {
    return find<JobKind>(kJobKind, name);
}
template <>
std::optional<DeliveryState> from_name(std::string_view name) {
    return find<DeliveryState>(kDeliveryState, name);
}

}  // namespace kinodex::domain
