// The one binary: `kinodex serve`, `kinodex keys …`, and the zygote that the server starts itself.
#include <sys/stat.h>

#include <csignal>

#include "config/config.h"
#include "media/child.h"
#include "media/sandbox/zygote.h"
#include "server/commands.h"

int main(int argc, char** argv) {
    using namespace kinodex;
    const auto parsed = config::parse(argc, argv);
    if (!parsed.config) {
        return parsed.exit_code;
    }
    ::umask(0077);  // what any command writes is the owner's alone
    switch (parsed.config->command) {
        case config::Command::media_zygote:
            return media::run_zygote({.warm_up = media::warm_up,
                                      .probe = media::probe_file,
                                      .thumbnail = media::make_thumbnail,
                                      .rendition = media::make_rendition,
                                      .analyze = media::analyze_file});
        case config::Command::serve:
            std::signal(SIGPIPE, SIG_IGN);
            return server::run_serve(*parsed.config);
        case config::Command::keys_create:
        case config::Command::keys_list:
        case config::Command::keys_rotate:
        case config::Command::keys_revoke:
            return server::run_keys(*parsed.config);
        case config::Command::webhooks_list:
        case config::Command::webhooks_test:
        case config::Command::webhooks_redeliver:
            return server::run_webhooks(*parsed.config);
        case config::Command::export_:
            return server::run_export(*parsed.config);
        case config::Command::import:
            return server::run_import(*parsed.config);
        case config::Command::backup:
            return server::run_backup(*parsed.config);
        case config::Command::ingest:
            return server::run_ingest(*parsed.config);
    }
    return 2;
}
