#include "store/sqlite/rows.h"

#include <boost/json.hpp>
#include <cmath>

namespace kinodex::store::sqlite {
namespace {

namespace json = boost::json;

std::unexpected<base::Error> broken(std::string_view column) {
    return base::fail(base::Errc::internal, {},
                      "a row of the database cannot be read: " + std::string(column));
}

base::Result<std::vector<std::string>> read_texts(const json::value& value) {
    const auto* array = value.if_array();
    if (array == nullptr) {
        return broken("list of texts");
    }
    std::vector<std::string> texts;
    for (const auto& each : *array) {
        const auto* text = each.if_string();
        if (text == nullptr) {
            return broken("list of texts");
        }
        texts.emplace_back(text->c_str(), text->size());
    }
    return texts;
}

base::Result<std::vector<domain::IndexModel>> read_models(std::string_view text) {
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    const auto* array = error ? nullptr : value.if_array();
    if (array == nullptr) {
        return broken("models");
    }
    std::vector<domain::IndexModel> models;
    for (const auto& each : *array) {
        const auto* object = each.if_object();
        const auto* name = object == nullptr ? nullptr : object->if_contains("model_name");
        const auto* options = object == nullptr ? nullptr : object->if_contains("model_options");
        if (name == nullptr || options == nullptr || !name->is_string()) {
            return broken("models");
        }
        KN_TRY(words, read_texts(*options));
        models.push_back({std::string(name->get_string()), std::move(words)});
    }
    return models;
}

json::array texts_json(const std::vector<std::string>& texts) {
    json::array array;
    for (const auto& text : texts) {
        array.emplace_back(text);
    }
    return array;
}

}  // namespace

base::Result<domain::Asset> read_asset(const Query& query) {
    domain::Asset asset;
    asset.id = query.id<domain::AssetId>(0);
    asset.account_id = query.id<domain::AccountId>(1);
    asset.status = query.word<domain::AssetStatus>(2);
    asset.method = query.word<domain::AssetMethod>(3);
    asset.type = query.word<domain::AssetType>(4);
    asset.filename = query.text(5);
    asset.file_type = query.text(6);
    asset.created_at = query.time(7);
    asset.size_bytes = query.maybe_integer<std::int64_t>(8);
    asset.duration_sec = query.maybe_real(9);
    asset.fps = query.maybe_real(10);
    asset.width = query.maybe_integer<int>(11);
    asset.height = query.maybe_integer<int>(12);
    asset.hls = query.word<domain::DerivedStatus>(13);
    asset.thumbnail = query.word<domain::DerivedStatus>(14);
    asset.error_message = query.text(15);
    KN_TRY(metadata, domain::parse_metadata(query.text(16)));
    asset.user_metadata = std::move(metadata);
    asset.technical_metadata = query.text(17);
    asset.source_url = query.text(18);
    return asset;
}

base::Result<domain::Index> read_index(const Query& query) {
    domain::Index index;
    index.id = query.id<domain::IndexId>(0);
    index.account_id = query.id<domain::AccountId>(1);
    index.index_name = query.text(2);
    KN_TRY(models, read_models(query.text(3)));
    index.models = std::move(models);
    boost::system::error_code error;
    const auto addons = json::parse(query.text(4), error);
    if (error) {
        return broken("addons");
    }
    KN_TRY(words, read_texts(addons));
    index.addons = std::move(words);
    index.created_at = query.time(5);
    index.updated_at = query.time(6);
    index.video_count = query.integer(7);
    index.total_duration_sec = static_cast<double>(query.integer(8)) / 1e6;
    return index;
}

base::Result<domain::IndexedAsset> read_indexed_asset(const Query& query) {
    domain::IndexedAsset item;
    item.id = query.id<domain::IndexedAssetId>(0);
    item.index_id = query.id<domain::IndexId>(1);
    item.account_id = query.id<domain::AccountId>(2);
    item.asset_id = query.id<domain::AssetId>(3);
    item.status = query.word<domain::IndexingStatus>(4);
    item.created_at = query.time(5);
    item.updated_at = query.time(6);
    item.indexed_at = query.maybe_time(7);
    item.system_metadata.filename = query.text(8);
    item.system_metadata.duration_sec = query.maybe_real(9);
    item.system_metadata.fps = query.maybe_real(10);
    item.system_metadata.width = query.maybe_integer<int>(11);
    item.system_metadata.height = query.maybe_integer<int>(12);
    item.system_metadata.size_bytes = query.maybe_integer<std::int64_t>(13);
    KN_TRY(metadata, domain::parse_metadata(query.text(14)));
    item.user_metadata = std::move(metadata);
    item.stream = query.word<domain::StreamStatus>(15);
    item.stream_updated_at = query.maybe_time(16);
    item.error_message = query.text(17);
    return item;
}

std::string models_text(const std::vector<domain::IndexModel>& models) {
    json::array array;
    for (const auto& model : models) {
        array.push_back(json::object{{"model_name", model.model_name},
                                     {"model_options", texts_json(model.model_options)}});
    }
    return json::serialize(array);
}

std::string addons_text(const std::vector<std::string>& addons) {
    return json::serialize(texts_json(addons));
}

std::optional<std::int64_t> model_option_bit(std::string_view option) {
    if (option == "visual") {
        return 1;
    }
    return option == "audio" ? std::optional<std::int64_t>(2) : std::nullopt;
}

std::int64_t model_option_bits(const std::vector<domain::IndexModel>& models) {
    std::int64_t bits = 0;
    for (const auto& model : models) {
        for (const auto& option : model.model_options) {
            bits |= model_option_bit(option).value_or(0);
        }
    }
    return bits;
}

std::int64_t model_family_bits(const std::vector<domain::IndexModel>& models) {
    std::int64_t bits = 0;
    for (const auto& model : models) {
        const std::string_view name = model.model_name;
        if (name.starts_with("marengo")) {
            bits |= 1 << static_cast<int>(domain::ModelFamily::marengo);
        } else if (name.starts_with("pegasus")) {
            bits |= 1 << static_cast<int>(domain::ModelFamily::pegasus);
        }
    }
    return bits;
}

std::int64_t duration_us(std::optional<double> duration_sec) {
    return std::llround(duration_sec.value_or(0) * 1e6);
}

std::unexpected<base::Error> not_exist(const std::string& resource_id,
                                       std::string_view collection_name) {
    return base::fail(
        base::Errc::resource_not_exist,
        {{"resource_id", resource_id}, {"collection_name", std::string(collection_name)}});
}

}  // namespace kinodex::store::sqlite
