#include "service/works.h"

#include "domain/names.h"
#include "observe/log.h"

namespace kinodex::service {
namespace {

using domain::JobKind;
using jobs::Outcome;
using runtime::Task;

Outcome outcome_of(Step step) {
    switch (step) {
        case Step::later:
            return Outcome::retry;
        case Step::postponed:
            return Outcome::later;
        case Step::done:
        case Step::failed:
            break;
    }
    return Outcome::done;
}

/// A subject that is no id can never become one: the job is dropped, loudly.
Outcome dropped(const domain::Job& job) {
    observe::log_error("job_subject_invalid",
                       {{"kind", domain::name_of(job.kind)}, {"subject", job.subject}});
    return Outcome::done;
}

Task<Outcome> ingest_asset(Ingest& ingest, domain::Job job) {
    const auto id = domain::AssetId::parse(job.subject);
    if (!id) {
        co_return dropped(job);
    }
    co_return co_await ingest.run(*id) ? Outcome::done : Outcome::retry;
}

Task<Outcome> make_thumbnail(Renditions& renditions, domain::Job job) {
    const auto id = domain::AssetId::parse(job.subject);
    if (!id) {
        co_return dropped(job);
    }
    co_return outcome_of(co_await renditions.make_thumbnail(*id));
}

Task<Outcome> make_rendition(Renditions& renditions, domain::Job job) {
    const auto id = domain::AssetId::parse(job.subject);
    if (!id) {
        co_return dropped(job);
    }
    co_return outcome_of(co_await renditions.make_playback(*id));
}

Task<Outcome> index_asset(Indexing& indexing, domain::Job job) {
    const auto id = domain::IndexedAssetId::parse(job.subject);
    if (!id) {
        co_return dropped(job);
    }
    co_return outcome_of(co_await indexing.run(*id, job.attempts));
}

Task<Outcome> fetch_url(UrlAssets& url_assets, jobs::JobContext context) {
    const auto id = domain::AssetId::parse(context.job.subject);
    if (!id) {
        co_return dropped(context.job);
    }
    co_return outcome_of(co_await url_assets.run(*id, context.job.attempts, context.should_stop));
}

Task<Outcome> check_entity(EntityCheck& entity_check, domain::Job job) {
    const auto id = domain::EntityId::parse(job.subject);
    if (!id) {
        co_return dropped(job);
    }
    co_return outcome_of(co_await entity_check.run(*id));
}

Task<Outcome> remove_objects(objects::Objects& objects, domain::Job job) {
    auto removed = co_await objects.remove_prefix(job.subject);
    if (!removed) {
        observe::log_warn("remove_objects_failed",
                          {{"prefix", job.subject}, {"reason", removed.error().detail}});
        co_return Outcome::retry;
    }
    co_return Outcome::done;
}

}  // namespace

std::map<JobKind, jobs::Work> works_of(Ingest& ingest, Renditions& renditions, Indexing& indexing,
                                       objects::Objects& objects) {
    std::map<JobKind, jobs::Work> works;
    works[JobKind::ingest_asset] = [&ingest](jobs::JobContext context) {
        return ingest_asset(ingest, std::move(context.job));
    };
    works[JobKind::make_thumbnail] = [&renditions](jobs::JobContext context) {
        return make_thumbnail(renditions, std::move(context.job));
    };
    works[JobKind::make_rendition] = [&renditions](jobs::JobContext context) {
        return make_rendition(renditions, std::move(context.job));
    };
    works[JobKind::index_asset] = [&indexing](jobs::JobContext context) {
        return index_asset(indexing, std::move(context.job));
    };
    works[JobKind::remove_objects] = [&objects](jobs::JobContext context) {
        return remove_objects(objects, std::move(context.job));
    };
    return works;
}

std::map<JobKind, jobs::Work> fetch_works_of(UrlAssets& url_assets) {
    std::map<JobKind, jobs::Work> works;
    works[JobKind::fetch_url] = [&url_assets](jobs::JobContext context) {
        return fetch_url(url_assets, std::move(context));
    };
    return works;
}

std::map<JobKind, jobs::Work> check_works_of(EntityCheck& entity_check) {
    std::map<JobKind, jobs::Work> works;
    works[JobKind::check_entity] = [&entity_check](jobs::JobContext context) {
        return check_entity(entity_check, std::move(context.job));
    };
    return works;
}

}  // namespace kinodex::service
