#include "api/form.h"

#include <algorithm>

#include "http/multipart_reader.h"
#include "service/url_assets.h"

namespace kinodex::api {
namespace {

// Text parts may be as large as metadata can be with every character escaped.
constexpr std::size_t kTextPartBytesMax = 512 * 1024;

std::string without_path(const std::string& name) {
    const auto slash = name.find_last_of("/\\");
    return slash == std::string::npos ? name : name.substr(slash + 1);
}

std::size_t bytes_max(std::string_view part) {
    return part.ends_with("url") ? fetch::kUrlBytesMax : kTextPartBytesMax;
}

Asked<std::unique_ptr<objects::Draft>> read_file(service::Assets& assets,
                                                 http::MultipartReader& parts,
                                                 std::int64_t bytes_limit) {
    KN_CO_TRY(draft, co_await assets.begin_upload());
    while (true) {
        KN_CO_TRY(bytes, co_await parts.read_part());
        if (bytes.empty()) {
            break;
        }
        // The next bytes come in while these are written.
        KN_CO_PASS(co_await draft->append_behind(bytes, parts.owner()));
        const auto size = static_cast<std::int64_t>(draft->size_bytes());
        if (size > bytes_limit) {
            auto refused = co_await assets.refuse_too_large(*draft, bytes_limit, size);
            co_return std::unexpected(std::move(refused).error());
        }
    }
    KN_CO_PASS(co_await draft->settle());
    co_return draft;
}

Asked<Form> read_parts(service::Assets& assets, http::MultipartReader& parts,
                       const FormRules& rules) {
    Form form;
    while (true) {
        KN_CO_TRY(head, co_await parts.next_part());
        if (!head) {
            co_return form;
        }
        if (head->name == rules.file) {
            if (form.file) {
                co_return invalid(rules.file, "It was given more than once.");
            }
            form.file_name = without_path(head->filename.value_or(""));
            KN_CO_TRY(file, co_await read_file(assets, parts, rules.file_bytes_max));
            // A field without a file name and without bytes is a form that was left empty.
            if (head->filename || file->size_bytes() > 0) {
                form.file = std::move(file);
            }
            continue;
        }
        if (std::ranges::find(rules.texts, head->name) == rules.texts.end()) {
            co_return base::fail(Errc::parameter_unknown, {{"parameter", head->name}});
        }
        if (form.text(head->name) != nullptr) {
            co_return invalid(head->name, "It was given more than once.");
        }
        KN_CO_TRY(text, co_await parts.read_text(bytes_max(head->name)));
        form.texts.emplace_back(head->name, std::move(text));
    }
}

}  // namespace

const std::string* Form::text(std::string_view name) const {
    for (const auto& [key, value] : texts) {
        if (key == name) {
            return &value;
        }
    }
    return nullptr;
}

base::Result<bool> Form::flag(std::string_view name, bool otherwise) const {
    const auto* found = text(name);
    return found == nullptr ? base::Result<bool>(otherwise) : parse_flag(name, *found);
}

base::Result<std::optional<domain::MetadataChange>> Form::metadata() const {
    const auto* json = text("user_metadata");
    if (json == nullptr) {
        return std::nullopt;
    }
    KN_TRY(change, domain::parse_metadata_change(*json, domain::MetadataMode::merge));
    // Its bounds are checked before anything is kept.
    KN_PASS(domain::apply_change({}, change));
    return change;
}

Asked<Form> read_form(service::Assets& assets, http::Request& request, FormRules rules) {
    if (!request.query.empty()) {
        co_return base::fail(Errc::parameter_unknown, {{"parameter", request.query[0].first}});
    }
    KN_CO_TRY(boundary, http::multipart_boundary(request.content_type));
    http::MultipartReader parts(std::move(boundary), *request.body_reader);
    co_return co_await read_parts(assets, parts, rules);
}

Field metadata_part() {
    return part("user_metadata", In::form, Presence::optional,
                schema::text({}, kTextPartBytesMax).like(R"("{\"category\":\"trailer\"}")"),
                "A JSON object of strings, integers, floats and booleans.");
}

}  // namespace kinodex::api
