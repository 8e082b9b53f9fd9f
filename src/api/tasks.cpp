// Tasks: upload a video and index it in one step, list with every filter, retrieve, delete.
#include "api/api.h"
#include "api/error_table.h"
#include "api/form.h"
#include "api/indexed_asset_wire.h"
#include "api/page_endpoint.h"
#include "domain/names.h"

namespace kinodex::api {
namespace {

using domain::Task;
using domain::TaskFilter;
using domain::TaskId;
using domain::TaskStatus;

constexpr const char* kTasks = "/v1.3/tasks";
constexpr const char* kTask = "/v1.3/tasks/{task_id}";

struct ListTasks {
    domain::Page page;
    TaskFilter filter;
};

struct OneTask {
    TaskId id;
};

void append_task_fields(JsonObject& object, const Task& task) {
    object.text("_id", task.id.text());
    object.text("video_id", task.video_id.text());
    object.text("index_id", task.index_id.text());
    object.text("status", domain::name_of(task.status));
    object.text("created_at", base::rfc3339_millis(task.created_at));
    object.text("updated_at", base::rfc3339_millis(task.updated_at));
    JsonObject system(object.key("system_metadata"));
    system.text("filename", task.filename);
    if (task.duration_sec) {
        system.number("duration", *task.duration_sec);
    }
    if (task.width) {
        system.integer("width", *task.width);
    }
    if (task.height) {
        system.integer("height", *task.height);
    }
}

void append_task(std::string& out, const Task& task) {
    JsonObject object(out);
    append_task_fields(object, task);
}

Schema statuses_schema() {
    return schema::words(
        {"uploading", "validating", "pending", "queued", "indexing", "ready", "failed"});
}

std::vector<Property> task_properties() {
    const auto system = schema::object({has("filename", schema::text(1), "The file's name."),
                                        may_have("duration", schema::number(0), "Seconds."),
                                        may_have("width", schema::integer(1), "Pixels."),
                                        may_have("height", schema::integer(1), "Pixels.")});
    return {has("_id", schema::id(), "The task's identifier."),
            has("video_id", schema::id(), "The video's, which is an indexed asset's."),
            has("index_id", schema::id(), "The index's identifier."),
            has("status", statuses_schema(), "How far it is."),
            has("created_at", schema::time(), "When it was created."),
            has("updated_at", schema::time(), "When its status last changed."),
            has("system_metadata", system, "What is known about the video.")};
}

Schema task_schema() {
    return schema::named("Task", schema::object(task_properties()));
}

Schema task_detail_schema() {
    auto properties = task_properties();
    properties.push_back(may_have("hls", stream_schema(), "With `enable_video_stream`."));
    properties.push_back(may_have("error", failure_schema(), "Why it failed."));
    return schema::named("TaskDetail", schema::object(std::move(properties)));
}

// Larger than any video.
constexpr std::int64_t kSideMax = 65'536;

// --- create ------------------------------------------------------------------------------------

FormRules form_rules(const service::Assets& assets) {
    return {"video_file",
            {"index_id", "video_url", "enable_video_stream", "user_metadata"},
            assets.task_bytes_max()};
}

base::Result<service::NewVideo> video_of(Form form) {
    service::NewVideo video;
    const auto* index = form.text("index_id");
    if (index == nullptr) {
        return missing("index_id");
    }
    const auto index_id = domain::IndexId::parse(*index);
    if (!index_id) {
        return invalid("index_id");
    }
    video.index_id = *index_id;
    const auto* url = form.text("video_url");
    const bool has_url = url != nullptr && !url->empty();
    if (has_url && form.file) {
        return invalid("video_url", "Give `video_file` or `video_url`, not both.");
    }
    if (!has_url && !form.file) {
        return base::fail(Errc::parameter_not_provided,
                          {{"parameter", "video_file"}, {"reason", "Give it or `video_url`."}});
    }
    if (has_url) {
        video.video_url = *url;
        video.filename = service::filename_of_url(*url);
    } else {
        video.filename = form.file_name.empty() ? "upload" : form.file_name;
        const auto named = service::check_filename(video.filename);
        if (!named) {  // `filename` is no parameter here
            return invalid("video_file", "The file's name is not valid. " +
                                             std::string(named.error().value("reason")));
        }
        video.media = std::move(form.file);
    }
    KN_TRY(stream, form.flag("enable_video_stream", true));
    video.enable_video_stream = stream;
    KN_TRY(metadata, form.metadata());
    video.user_metadata = std::move(metadata);
    return video;
}

Asked<Reply> create_task(Services& services, http::Request& request) {
    KN_CO_TRY(caller, identify(services, request));
    auto form = co_await read_form(services.assets, request, form_rules(services.assets));
    if (!form) {
        co_return std::unexpected(service::as_task_error(std::move(form).error()));
    }
    KN_CO_TRY(video, video_of(std::move(*form)));
    KN_CO_TRY(task, co_await services.tasks.create(caller.account, std::move(video), [&request] {
        return !request.is_client_gone();
    }));
    Reply reply;
    {
        JsonObject object(reply.json);
        object.text("_id", task.id.text());
        object.text("video_id", task.video_id.text());
    }
    co_return reply;
}

runtime::Task<http::Response> respond(Services& services, http::Request& request) {
    auto reply = co_await create_task(services, request);
    if (!reply) {
        co_return render_error(reply.error(), request.request_id);
    }
    co_return json_response(200, std::move(reply->json));
}

std::vector<Field> create_fields() {
    constexpr auto kFree = Presence::optional;
    return {
        part("index_id", In::form, Presence::required, schema::id(), "The index's identifier."),
        part("video_file", In::form, kFree, schema::binary(), "The video; this or `video_url`."),
        part("video_url", In::form, kFree, schema::url(),
             "Where the server fetches the video: an http or https address that anybody can "
             "read."),
        part("enable_video_stream", In::form, kFree, schema::flag().defaults_to("true"),
             "Whether to make it playable."),
        metadata_part(),
    };
}

std::vector<Errc> create_errors() {
    return {Errc::content_type_invalid,
            Errc::multipart_boundary_missing,
            Errc::invalid_multipart,
            Errc::resource_not_exist,
            Errc::task_video_file_broken,
            Errc::task_video_resolution_too_low,
            Errc::task_video_resolution_too_high,
            Errc::task_video_aspect_ratio_invalid,
            Errc::task_video_too_short,
            Errc::task_video_too_long,
            Errc::video_filesize_too_large,
            Errc::video_file_live,
            Errc::media_url_not_accessible,
            Errc::media_url_unsupported_format,
            Errc::media_url_file_broken,
            Errc::quota_exceeded,
            Errc::media_beyond_rate_limit};
}

Endpoint create_endpoint(Services& services) {
    return raw_endpoint(
        {Method::post, kTasks, "tasks.create", "Upload a video and index it",
         "The same as uploading an asset and indexing it, with both behind it. Retrieve the task "
         "until its status is `ready` or `failed`."},
        answers(200, schema::object({has("_id", schema::id(), "The task's identifier."),
                                     has("video_id", schema::id(), "The video's identifier.")}))
            .making("task_id"),
        create_errors(), create_fields(), Access::key, http::BodyMode::streamed,
        [&services](http::Request& request) { return respond(services, request); });
}

// --- list --------------------------------------------------------------------------------------

/// A query parameter that may be absent; `set` puts its text into the filter.
template <class Set>
Field filter_field(std::string name, Schema schema, std::string text, Set set) {
    Field field;
    field.name = name;
    field.read = [name, set](const Values& values, void* params) -> base::Status {
        KN_TRY(value, single(values, In::query, name));
        return value ? set(static_cast<ListTasks*>(params)->filter, *value) : base::Status{};
    };
    return described(std::move(field), std::move(schema), std::move(text));
}

Field status_field() {
    Field field;
    field.name = "status";
    field.read = [](const Values& values, void* params) -> base::Status {
        for (const auto word : values.all(In::query, "status")) {
            const auto status = domain::from_name<TaskStatus>(word);
            if (!status) {
                return invalid("status",
                               "Use one or more of the following values: uploading, validating, "
                               "pending, queued, indexing, ready, failed.");
            }
            static_cast<ListTasks*>(params)->filter.statuses.push_back(*status);
        }
        return {};
    };
    return described(std::move(field), schema::list(statuses_schema()),
                     "Only tasks in one of these states; repeat the parameter for several.");
}

Field side_field(std::string name, std::optional<int> TaskFilter::* member) {
    return filter_field(name, schema::integer(0, kSideMax),
                        "Only videos with this " + name + ", in pixels.",
                        [name, member](TaskFilter& filter, std::string_view text) -> base::Status {
                            KN_TRY(side, parse_integer(name, text, 0, kSideMax));
                            filter.*member = static_cast<int>(side);
                            return {};
                        });
}

Field from_field(std::string name, std::optional<base::Timestamp> TaskFilter::* member,
                 std::string text) {
    return filter_field(name, schema::time(), std::move(text),
                        [name, member](TaskFilter& filter, std::string_view value) -> base::Status {
                            KN_TRY(time, parse_time(name, value));
                            filter.*member = time;
                            return {};
                        });
}

/// One of two words.
template <class Enum>
Field word_field(std::string name, std::array<std::pair<std::string_view, Enum>, 2> words,
                 Enum TaskFilter::* member, std::string text) {
    const auto schema = schema::words({std::string(words[0].first), std::string(words[1].first)});
    return filter_field(
        name, schema, std::move(text),
        [name, words, member](TaskFilter& filter, std::string_view value) -> base::Status {
            for (const auto& [word, meaning] : words) {
                if (word == value) {
                    filter.*member = meaning;
                    return {};
                }
            }
            return not_one_of(name, {words[0].first, words[1].first});
        });
}

std::vector<Field> list_fields() {
    using domain::SortBy;
    using domain::SortOrder;
    std::vector<Field> fields{page_number(&ListTasks::page), page_limit(&ListTasks::page)};
    fields.push_back(word_field<SortBy>(
        "sort_by", {{{"created_at", SortBy::created_at}, {"updated_at", SortBy::updated_at}}},
        &TaskFilter::sort_by, "What to sort by; `created_at` unless given."));
    fields.push_back(
        word_field<SortOrder>("sort_option", {{{"asc", SortOrder::asc}, {"desc", SortOrder::desc}}},
                              &TaskFilter::order, "The direction; `desc` unless given."));
    fields.push_back(filter_field("index_id", schema::id(), "Only tasks of this index.",
                                  [](TaskFilter& filter, std::string_view text) -> base::Status {
                                      filter.index_id = domain::IndexId::parse(text);
                                      return filter.index_id ? base::Status{}
                                                             : base::Status(invalid("index_id"));
                                  }));
    fields.push_back(status_field());
    fields.push_back(filter_field("filename", schema::text(), "Only tasks with this filename.",
                                  [](TaskFilter& filter, std::string_view text) -> base::Status {
                                      if (!text.empty()) {
                                          filter.filename = text;
                                      }
                                      return {};
                                  }));
    fields.push_back(filter_field(
        "duration", schema::number(), "Only videos of exactly this length, in seconds.",
        [](TaskFilter& filter, std::string_view text) -> base::Status {
            const auto number = domain::parse_metadata_number(text);
            if (!number) {
                return invalid("duration", "It must be a number.");
            }
            const auto* whole = std::get_if<std::int64_t>(&*number);
            filter.duration_sec =
                whole != nullptr ? static_cast<double>(*whole) : std::get<double>(*number);
            return {};
        }));
    fields.push_back(side_field("width", &TaskFilter::width));
    fields.push_back(side_field("height", &TaskFilter::height));
    fields.push_back(
        from_field("created_at", &TaskFilter::created_from, "Created at or after this time."));
    fields.push_back(
        from_field("updated_at", &TaskFilter::updated_from, "Last changed at or after this time."));
    return fields;
}

Endpoint list_endpoint(Services& services) {
    return page_endpoint<ListTasks>(
        {Method::get, kTasks, "tasks.list", "List tasks", {}}, task_schema(), {}, list_fields(),
        append_task, [&services](domain::AccountId account, ListTasks in) {
            return services.tasks.store().list_tasks(account, std::move(in.filter), in.page);
        });
}

// --- one ---------------------------------------------------------------------------------------

Field id_field() {
    return path_id("task_id", &OneTask::id, "The task's identifier.");
}

Endpoint retrieve_endpoint(Services& services) {
    return endpoint<OneTask>(
        {Method::get, kTask, "tasks.retrieve", "Retrieve a task", {}},
        answers(200, task_detail_schema()), {Errc::resource_not_exist}, {id_field()},
        [&services](Caller caller, OneTask in) -> Asked<Reply> {
            KN_CO_TRY(task, co_await services.tasks.store().find_task(caller.account, in.id));
            KN_CO_TRY(video, co_await services.tasks.video_of(task));
            Reply reply;
            {
                JsonObject object(reply.json);
                append_task_fields(object, task);
                if (video) {
                    append_stream(object, *video, caller.base_url, services.signer);
                }
                if (task.status == TaskStatus::failed && !task.error_message.empty()) {
                    JsonObject error(object.key("error"));
                    error.text("message", task.error_message);
                }
            }
            co_return reply;
        });
}

Endpoint delete_endpoint(Services& services) {
    return endpoint<OneTask>(
        {Method::delete_, kTask, "tasks.delete", "Delete a task",
         "Only one that is `ready`, whose video was deleted before, or `failed`. The asset stays."},
        answers_nothing(), {Errc::resource_not_exist, Errc::task_cannot_be_deleted}, {id_field()},
        [&services](Caller caller, OneTask in) -> Asked<Reply> {
            KN_CO_PASS(co_await services.tasks.store().delete_task(caller.account, in.id));
            co_return Reply{};
        });
}

}  // namespace

std::vector<Endpoint> task_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(counted_as(service::RateCategory::index, create_endpoint(services)));
    endpoints.push_back(list_endpoint(services));
    endpoints.push_back(retrieve_endpoint(services));
    endpoints.push_back(delete_endpoint(services));
    return endpoints;
}

}  // namespace kinodex::api
