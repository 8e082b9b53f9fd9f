#include "service/indexes.h"

#include <algorithm>
#include <array>

#include "domain/names.h"
#include "service/names.h"

namespace kinodex::service {
namespace {

using base::Errc;

struct Model {
    std::string_view name;
    domain::ModelFamily family;
};

constexpr std::array kModels{
    Model{"marengo3.0", domain::ModelFamily::marengo},
    Model{"marengo3.5", domain::ModelFamily::marengo},
    Model{"pegasus1.2", domain::ModelFamily::pegasus},
    Model{"pegasus1.5", domain::ModelFamily::pegasus},
};

std::unexpected<base::Error> invalid(std::string parameter, std::string reason) {
    return base::fail(Errc::parameter_invalid,
                      {{"parameter", std::move(parameter)}, {"reason", std::move(reason)}});
}

base::Status check_model(const domain::IndexModel& model) {
    if (!family_of(model.model_name)) {
        return invalid("model_name",
                       "Use one of the following values: marengo3.0, marengo3.5, pegasus1.2, "
                       "pegasus1.5.");
    }
    const auto known = [](const std::string& option) {
        return option == "visual" || option == "audio";
    };
    auto options = model.model_options;
    std::ranges::sort(options);
    if (options.empty() || options.size() > 2 || !std::ranges::all_of(options, known) ||
        std::ranges::adjacent_find(options) != options.end()) {
        return invalid("model_options", "Use one or both of the following values: visual, audio.");
    }
    return {};
}

}  // namespace

std::optional<domain::ModelFamily> family_of(std::string_view model_name) {
    const auto found = std::ranges::find(kModels, model_name, &Model::name);
    return found == kModels.end() ? std::nullopt : std::optional(found->family);
}

base::Status check_index_name(std::string_view name) {
    return check_line("index_name", name, kIndexNameCharsMax);
}

base::Status check_index(const NewIndex& index) {
    KN_PASS(check_index_name(index.index_name));
    if (index.models.empty() || index.models.size() > kIndexModelsMax) {
        return invalid("models", "It must hold one or two models.");
    }
    bool has_marengo = false;
    for (const auto& model : index.models) {
        KN_PASS(check_model(model));
        has_marengo = has_marengo || family_of(model.model_name) == domain::ModelFamily::marengo;
    }
    if (index.models.size() == 2 &&
        family_of(index.models[0].model_name) == family_of(index.models[1].model_name)) {
        return invalid("models", "It can hold one model of each family.");
    }
    for (const auto& addon : index.addons) {
        if (addon != "thumbnail") {
            return invalid("addons", "Use the following value: thumbnail.");
        }
    }
    if (index.addons.size() > 1 || (!index.addons.empty() && !has_marengo)) {
        return invalid("addons", "The thumbnail add-on can be given once, with a Marengo model.");
    }
    return {};
}

runtime::Asked<domain::IndexId> Indexes::create(domain::AccountId account, NewIndex wanted) {
    KN_CO_PASS(check_index(wanted));
    domain::Index index;
    index.id = domain::IndexId::next();
    index.account_id = account;
    index.index_name = std::move(wanted.index_name);
    index.models = std::move(wanted.models);
    index.addons = std::move(wanted.addons);
    index.created_at = base::now();
    index.updated_at = index.created_at;
    KN_CO_PASS(co_await store_.insert_index(index));
    co_return index.id;
}

runtime::Asked<void> Indexes::rename(domain::AccountId account, domain::IndexId id,
                                     std::string name) {
    KN_CO_PASS(check_index_name(name));
    co_return co_await store_.rename_index(account, id, std::move(name));
}

runtime::Asked<void> Indexes::remove(domain::AccountId account, domain::IndexId id) {
    KN_CO_PASS(co_await store_.delete_index(account, id));
    wake_workers_();
    co_return base::Status{};
}

runtime::Asked<domain::IndexedAssetId> Indexes::add(domain::AccountId account,
                                                    domain::IndexId index, NewIndexedAsset wanted) {
    KN_CO_TRY(found_index, co_await store_.find_index(account, index));
    KN_CO_TRY(asset, co_await store_.find_asset(account, wanted.asset_id));
    if (asset.status != domain::AssetStatus::ready) {
        co_return base::fail(Errc::asset_not_ready,
                             {{"parameter", "asset_id"},
                              {"asset_id", asset.id.text()},
                              {"status", std::string(domain::name_of(asset.status))}});
    }
    KN_CO_PASS(check_indexing(bounds_, asset));
    const double duration_sec = asset.duration_sec.value_or(0);
    KN_CO_TRY(reservation, co_await quotas_.reserve_indexing(account, duration_sec));
    KN_CO_PASS(
        rate_limits_.admit_duration(account, RateCategory::index, duration_sec, base::now()));
    domain::IndexedAsset item;
    item.id = domain::IndexedAssetId::next();
    item.index_id = found_index.id;
    item.account_id = account;
    item.asset_id = asset.id;
    item.created_at = base::now();
    item.updated_at = item.created_at;
    if (wanted.enable_video_stream) {
        item.stream = domain::StreamStatus::processing;
        item.stream_updated_at = item.created_at;
    }
    if (wanted.user_metadata) {
        KN_CO_TRY(metadata, domain::apply_change({}, *wanted.user_metadata));
        item.user_metadata = std::move(metadata);
    }
    const auto id = item.id;
    KN_CO_PASS(co_await store_.insert_indexed_asset(std::move(item)));
    wake_workers_();
    co_return id;
}

runtime::Asked<void> Indexes::remove_item(domain::AccountId account, domain::IndexId index,
                                          domain::IndexedAssetId id) {
    KN_CO_PASS(co_await store_.delete_indexed_asset(account, index, id));
    wake_workers_();
    co_return base::Status{};
}

}  // namespace kinodex::service
