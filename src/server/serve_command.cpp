// kinodex serve: runs until a signal ends it.
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "observe/log.h"
#include "server/app.h"
#include "server/commands.h"

namespace kinodex::server {
namespace {

observe::Level level_of(const std::string& word) {
    if (word == "debug") {
        return observe::Level::debug;
    }
    if (word == "warn") {
        return observe::Level::warn;
    }
    return word == "error" ? observe::Level::error : observe::Level::info;
}

/// What a person who just started the server needs, once. On standard output; logs are on standard
/// error.
void print_welcome(const App& app) {
    const auto base = "http://" + app.address();
    fmt::print("Kinodex {} serves {}\n", KN_VERSION, base);
    if (!app.new_key().empty()) {
        fmt::print(
            "\nYour API key, shown only now:\n\n    {}\n\nTry it:\n\n"
            "    export KEY={}\n"
            "    curl -s {}/v1.3/indexes -H \"x-api-key: $KEY\" -H \"content-type: "
            "application/json\" "
            "-d "
            "'{{\"index_name\":\"films\",\"models\":[{{\"model_name\":\"marengo3.0\",\"model_"
            "options\":"
            "[\"visual\"]}}]}}'\n"
            "    curl -s {}/v1.3/indexes -H \"x-api-key: $KEY\"\n\n"
            "Upload something: see the quick start in README.md.\n\n",
            app.new_key(), app.new_key(), base, base);
    }
    std::fflush(stdout);
}

}  // namespace

int run_serve(const config::Config& config) {
    observe::open_log(
        config.log_format == "json" ? observe::LogFormat::json : observe::LogFormat::text,
        level_of(config.log_level));
    // Blocked before any thread is made, so that only this one takes them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    auto app = App::start(config);
    if (!app) {
        auto error = app.error();
        if (error.code == base::Errc::storage_full) {
            error.detail = "there is no space left for the data directory " + config.data_dir +
                           "; free some and start again (" + error.detail + ")";
        }
        if (error.detail.empty()) {
            error.detail = error.value("reason");
        }
        observe::log_error("start_failed", {{"reason", error.detail}});
        fmt::print(stderr, "kinodex: cannot start: {}\n", error.detail);
        return 1;
    }
    observe::log_info("listening", {{"address", (*app)->address()}, {"version", KN_VERSION}});
    print_welcome(**app);

    int signal = 0;
    sigwait(&signals, &signal);
    observe::log_info("stopping", {{"signal", signal}});
    const bool ended = (*app)->stop();
    observe::log_info("stopped", {{"all_ended", ended}});
    if (!ended) {
        // Something would not end. Everything acknowledged is on disk, and the next start sweeps
        // up; waiting longer helps nobody.
        std::fflush(stdout);
        std::_Exit(0);
    }
    return 0;
}

}  // namespace kinodex::server
