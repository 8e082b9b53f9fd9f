#include "api/reference.h"

#include <algorithm>

#include "api/error_table.h"
#include "api/openapi.h"
#include "api/schema_text.h"
#include "docs/markdown.h"
#include "http/router.h"

namespace kinodex::api {
namespace {

constexpr const char* kSection = "Reference";

/// What a resource is, for the top of its page.
struct Introduction {
    std::string_view resource;
    std::string_view text;
};
constexpr Introduction kIntroductions[] = {
    {"assets",
     "An asset is a video, audio or image file that was uploaded, with what was found out about it "
     "and the metadata that its owner gave it."},
    {"indexes", "An index is a named set of indexed assets, with the models chosen for them."},
    {"indexed_assets",
     "An indexed asset is an asset as one index sees it, with a state and metadata of its own."},
    {"media",
     "Playlists, segments and pictures, by the signed URLs that answers carry. No API key: a "
     "player "
     "has none. Ask the resource again for a new URL when one has expired."},
    {"admin", "For those who look after the server. The key needs the scope `admin`."},
    {"server", "What the server says about itself, and for those who run it. No API key."},
};

std::string line_of(const Endpoint& endpoint) {
    return "`" + std::string(http::method_name(endpoint.headline.method)) + " " +
           endpoint.headline.pattern + "`";
}

std::string page_of_resource(std::string_view resource) {
    std::string page(resource);
    std::ranges::replace(page, '_', '-');
    return page;
}

std::string fields_table(const std::vector<Field>& fields, In in) {
    std::string rows;
    for (const auto& field : fields) {
        if (field.in == in && !field.is_refused) {
            rows += "| `" + field.name + "`" + (field.required ? "" : " *optional*") + " | " +
                    type_text(field.schema) + " | " + field.text + " |\n";
        }
    }
    return rows.empty() ? rows : "| name | type | |\n| --- | --- | --- |\n" + rows + "\n";
}

void append_fields(std::string& out, const Endpoint& endpoint) {
    const std::pair<In, const char*> places[] = {{In::path, "Path"},
                                                 {In::query, "Query"},
                                                 {In::json, "JSON body"},
                                                 {In::form, "Multipart form"},
                                                 {In::body, "Body"}};
    for (const auto& [in, title] : places) {
        const auto table = fields_table(endpoint.fields, in);
        if (!table.empty()) {
            out += std::string("### ") + title + "\n\n" + table;
        }
    }
}

void append_answer(std::string& out, const Answer& answer) {
    out += "### Answer " + std::to_string(answer.status) + "\n\n";
    if (answer.media_type.empty()) {
        out += "No body.\n\n";
        return;
    }
    if (answer.media_type != "application/json") {
        out += "`" + answer.media_type + "`";
        out += answer.in_ranges ? ", in ranges too (206); 304 when it is unchanged.\n\n" : ".\n\n";
        return;
    }
    const auto& schema = answer.schema;
    if (!schema.name.empty()) {
        out += "An object: " + type_text(schema) + ".\n\n";
    } else if (!schema.properties.empty()) {
        out += keys_table(schema) + "\n";
    }
    if (answer.has_location) {
        out += "`Location` says where it can be retrieved.\n\n";
    }
    if (!schema.properties.empty()) {
        out += "```json\n" + laid_out(sample_json(schema, Keys::all)) + "\n```\n\n";
    }
}

std::string errors_table(const std::vector<Errc>& conditions) {
    std::vector<ErrorRow> rows;
    rows.reserve(conditions.size());
    for (const auto condition : conditions) {
        rows.push_back(row_of(condition));
    }
    std::ranges::sort(rows, {}, [](const ErrorRow& row) {
        return std::tuple(row.status, row.code, row.message);
    });
    std::string out = "| status | code | message |\n| --- | --- | --- |\n";
    for (const auto& row : rows) {
        out += "| " + std::to_string(row.status) + " | `" + std::string(row.code) + "` | " +
               std::string(row.message) + " |\n";
    }
    return out + "\n";
}

void append_errors(std::string& out, const Endpoint& endpoint) {
    const auto conditions = conditions_of(endpoint);
    if (conditions.empty()) {
        out += "### Errors\n\n[Those of every request](errors.md).\n\n";
        return;
    }
    out += "### Errors\n\n" + errors_table(conditions);
    out += "And [those of every request](errors.md).\n\n";
}

/// The pattern with sample values, and what the query must hold.
std::string sample_target(const Endpoint& endpoint) {
    auto target = endpoint.headline.pattern;
    std::string query;
    for (const auto& field : endpoint.fields) {
        auto value = sample_json(field.schema, Keys::required);
        if (value.starts_with('"')) {
            value = value.substr(1, value.size() - 2);
        }
        const auto at = target.find("{" + field.name + "}");
        if (field.in == In::path && at != std::string::npos) {
            target.replace(at, field.name.size() + 2, value);
        } else if (field.in == In::query && field.required) {
            query += (query.empty() ? "?" : "&") + field.name + "=" + value;
        }
    }
    return target + query;
}

std::string sample_body(const Endpoint& endpoint) {
    std::vector<Property> members;
    std::string parts;
    for (const auto& field : endpoint.fields) {
        if (field.in == In::json && field.required) {
            members.push_back(has(field.name, field.schema, field.text));
        }
        const bool is_file = field.schema.format == "binary";
        if (field.in == In::form && (field.required || is_file)) {
            auto value = is_file ? "@film.mp4" : sample_json(field.schema, Keys::required);
            std::erase(value, '"');
            parts += " \\\n  -F " + field.name + "=" + value;
        }
        if (field.in == In::body) {
            parts += " \\\n  --data-binary @part";
        }
    }
    if (members.empty()) {
        return parts;
    }
    return " \\\n  -H \"content-type: application/json\" \\\n  -d '" +
           sample_json(schema::object(std::move(members)), Keys::required) + "'";
}

void append_example(std::string& out, const Endpoint& endpoint) {
    if (endpoint.access == Access::signature) {
        return;  // its URL comes from an answer
    }
    const auto method = http::method_name(endpoint.headline.method);
    const auto body = sample_body(endpoint);
    const bool is_plain = method == "GET" || (method == "POST" && !body.empty());
    out += "### Example\n\n```sh\ncurl ";
    out += is_plain ? "" : "-X " + std::string(method) + " ";
    out += "\"$KINODEX" + sample_target(endpoint) + "\"";
    out += endpoint.access == Access::key ? " \\\n  -H \"x-api-key: $KEY\"" : "";
    out += body + "\n```\n\n";
}

std::string resource_markdown(const std::vector<Endpoint>& endpoints, const std::string& resource) {
    std::string out = "# " + title_of(resource) + "\n\n";
    const auto known =
        std::ranges::find(kIntroductions, std::string_view(resource), &Introduction::resource);
    out += known == std::end(kIntroductions) ? "" : std::string(known->text) + "\n\n";
    std::string sections;
    std::map<std::string, Schema> objects;
    out += "| operation | |\n| --- | --- |\n";
    for (const auto& endpoint : endpoints) {
        if (resource_of(endpoint) != resource) {
            continue;
        }
        const auto& summary = endpoint.headline.summary;
        out += "| " + line_of(endpoint) + " | [" + summary + "](#" + docs::anchor_of(summary) +
               ") |\n";
        sections += "## " + summary + "\n\n" + line_of(endpoint) + "\n\n";
        sections += endpoint.headline.text.empty() ? "" : endpoint.headline.text + "\n\n";
        sections +=
            endpoint.scope == domain::Scope::admin ? "Needs a key with the scope `admin`.\n\n" : "";
        append_fields(sections, endpoint);
        append_answer(sections, endpoint.answer);
        append_errors(sections, endpoint);
        append_example(sections, endpoint);
        collect_named(endpoint.answer.schema, objects);
        for (const auto& field : endpoint.fields) {
            collect_named(field.schema, objects);
        }
    }
    out += "\n" + sections;
    if (!objects.empty()) {
        out += "## Objects\n\n";
    }
    for (const auto& [name, schema] : objects) {
        out += "### " + name + "\n\n";
        auto inside = schema;
        inside.name.clear();
        out += schema.properties.empty() ? "A " + type_text(inside) + ".\n\n"
                                         : keys_table(schema) + "\n";
    }
    return out;
}

std::string overview_markdown(const std::vector<Endpoint>& endpoints) {
    std::string out =
        "# Reference\n\n"
        "Every operation of this server, made from the same declarations that check its requests. "
        "For programs: `/openapi.json`.\n\n"
        "## Requests\n\n"
        "Paths begin with `/v1.3`, and `x-api-key` carries an API key. The examples take the "
        "server's address and the key from the environment:\n\n"
        "```sh\nexport KINODEX=http://127.0.0.1:8080 KEY=kx_…\n```\n\n"
        "Bodies are JSON (`application/json`), or a multipart form where a file is sent. A "
        "parameter "
        "or member that an operation does not know is refused. An optional member that is `null` "
        "counts as absent.\n\n"
        "## Answers\n\n"
        "JSON in UTF-8; 204 has no body. Ids are 24 hexadecimal digits. Times are RFC 3339 in UTC. "
        "A key that is marked *optional* is left out when there is nothing to say. Every answer "
        "carries `X-Request-Id`, which is in the server's log too.\n\n"
        "## Pages\n\n"
        "Lists take `page`, from 1, and `page_limit`, and answer `data` and `page_info`. A page "
        "past "
        "the end is empty.\n\n"
        "## Errors\n\n"
        "Every error has a JSON body with `code`, `message` and `docs_url`. [All of "
        "them](errors.md).\n\n"
        "## Operations\n\n| operation | |\n| --- | --- |\n";
    for (const auto& endpoint : endpoints) {
        const auto& summary = endpoint.headline.summary;
        out += "| " + line_of(endpoint) + " | [" + summary + "](" +
               page_of_resource(resource_of(endpoint)) + ".md#" + docs::anchor_of(summary) +
               ") |\n";
    }
    return out;
}

std::string errors_markdown(const std::vector<Endpoint>& endpoints) {
    std::vector<Errc> own;
    std::vector<Errc> of_http;
    for (const auto& endpoint : endpoints) {
        for (const auto each : conditions_of(endpoint)) {
            own.push_back(each);
        }
        for (const auto each : http_conditions_of(endpoint)) {
            of_http.push_back(each);
        }
    }
    for (auto* list : {&own, &of_http}) {
        std::ranges::sort(*list);
        list->erase(std::ranges::unique(*list).begin(), list->end());
    }
    return "# Errors\n\n"
           "An error's body is a JSON object with `code`, for programs, `message`, for people, and "
           "`docs_url`. A `{name}` stands for a value of the request or of the server.\n\n"
           "```json\n" +
           laid_out(R"({"code":"parameter_invalid","message":"The `page` parameter is invalid.")"
                    R"(,"docs_url":"https://…"})") +
           "\n```\n\n## Of every request\n\n" + errors_table(of_http) +
           "With 408, 429, 503 and 507 the same request may succeed later: `Retry-After` says when "
           "to "
           "try "
           "again.\n\n## Of operations\n\n" +
           errors_table(own);
}

}  // namespace

std::vector<docs::Page> reference_pages(const std::vector<Endpoint>& endpoints) {
    std::vector<docs::Page> pages;
    pages.push_back({"reference/overview", kSection, "Overview", overview_markdown(endpoints)});
    for (const auto& resource : resources_of(endpoints)) {
        pages.push_back({"reference/" + page_of_resource(resource), kSection, title_of(resource),
                         resource_markdown(endpoints, resource)});
    }
    pages.push_back({"reference/errors", kSection, "Errors", errors_markdown(endpoints)});
    return pages;
}

}  // namespace kinodex::api
