/*
 * main.c - options, signals, and which of the daemon's tasks is asked for.
 *
 * SIGTERM and SIGINT end it in good order, SIGHUP has the configuration read again. Where a
 * watchdog is asked for, main feeds it as long as every other thread turns.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "core/json.h"
#include "daemon.h"
#include "ledger/store.h"
#include "maintenance.h"
#include "net/server.h"
#include "rulebook.h"
#include "service.h"
#include "watchdog.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 6 };

/* Signals are taken by main alone, by sigtimedwait(): the mask is inherited by every thread. */
static void take_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGHUP);
    sigaddset(ret_signals, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* As many descriptors as this user may have: each connection needs one. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_line(LOG_WARNING, "the descriptor limit stays as it is: %s, ignoring", strerror(errno));
}

/* Has a signal come to end a daemon that has not started yet? */
static bool asked_to_end(void)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1);
}

/* The next signal, or 0 when until_ms (on the monotonic clock) has come; -1 waits for ever. */
static int next_signal(const sigset_t *signals, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms = until_ms - clock_mono_ms(&clock_system);
        struct timespec left = { 0 };
        int number;

        if (left_ms > 0)
            left = (struct timespec){ .tv_sec = (time_t)(left_ms / 1000),
                                      .tv_nsec = (long)(left_ms % 1000) * 1000000 };
        number = until_ms < 0 ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &left);
        if (number > 0)
            return number;
        if (errno == EAGAIN)
            return 0;
    }
}

/* Until it is time to end. The watchdog is fed four times in its period at most, and only if all
 * threads have turned: so each of them has half a period at least. */
static void serve(struct daemon *daemon, const sigset_t *signals)
{
    int64_t every_ms = (service_watchdog_ms() + 3) / 4;
    AUTO(watchdog) watchdog = every_ms > 0 ? daemon_watchdog(daemon) : NULL;
    int64_t until_ms = watchdog ? clock_mono_ms(&clock_system) + every_ms : -1;

    for (;;) {
        int number = next_signal(signals, until_ms);

        if (number == SIGTERM || number == SIGINT || daemon_broken(daemon))
            return;
        if (number == SIGHUP)
            daemon_reload(daemon);
        if (watchdog && clock_mono_ms(&clock_system) >= until_ms) {
            if (watchdog_all_turn(watchdog))
                service_alive();
            until_ms = clock_mono_ms(&clock_system) + every_ms;
        }
    }
}

static enum exit_status run(const struct config_options *options, struct config *config)
{
    struct daemon *daemon;
    sigset_t signals;
    struct why why;
    bool broken;

    take_signals(&signals);
    raise_descriptor_limit();
    daemon = daemon_start(options, config, asked_to_end, &why);
    if (!daemon && asked_to_end()) {
        log_line(LOG_NOTICE, "ending before the start was over: %s", why.text);
        return EXIT_DONE;
    }
    if (!daemon) {
        log_line(LOG_ERROR, "%s", why.text);
        return EXIT_FAILED;
    }
    serve(daemon, &signals);
    broken = daemon_broken(daemon);
    if (!broken)
        log_line(LOG_NOTICE, "ending: no new connections, what has begun is answered");
    service_stopping(
        broken ? "The store failed: ending, so that the next start finds out what it holds"
               : "Ending: what has begun is answered");
    return daemon_stop(daemon) ? EXIT_DONE : EXIT_FAILED;
}

static void say_version(void)
{
    (void)printf("tallyd " TALLYD_VERSION " (libevent %s, SQLite %s, cJSON %s, libsodium %s)\n",
                 net_libevent_version(), store_sqlite_version(), json_cjson_version(),
                 sodium_version_string());
}

static enum exit_status check_config(const struct config *config)
{
    if (config->file)
        (void)printf("configuration is good: %s\n", config->file);
    else
        (void)printf("configuration is good: the defaults, there is no " CONFIG_FILE_DEFAULT "\n");
    return EXIT_DONE;
}

static enum exit_status act(const struct config_options *options, struct config *config)
{
    AUTO(config) held = config;

    switch (config->action) {
    case ACTION_RUN:
        return run(options, TAKE(held));
    case ACTION_CHECK_CONFIG:
        return check_config(held);
    case ACTION_CHECK_STORE:
        return (enum exit_status)maintenance_check_store(held);
    case ACTION_RESTORE:
        return (enum exit_status)maintenance_restore(held);
    case ACTION_COPY_STORE:
        return (enum exit_status)maintenance_copy_store(held);
    }
    return EXIT_FAILED;
}

static enum exit_status do_as_asked(int argc, char **argv)
{
    struct config_options options = { 0 };
    AUTO(config) config = NULL;
    struct why why;

    log_setup(LOG_INFO, LOG_TEXT, getenv("JOURNAL_STREAM") != NULL);
    switch (config_options_read(argc, argv, store_url_ok, &options, &why)) {
    case CONFIG_RUN:
        break;
    case CONFIG_DONE:
        return EXIT_DONE;
    case CONFIG_VERSION:
        say_version();
        return EXIT_DONE;
    case CONFIG_USAGE:
        log_line(LOG_ERROR, "%s", why.text);
        return EXIT_USAGE;
    }
    config = config_load(&options, &why);
    if (!config) {
        log_line(LOG_ERROR, "%s", why.text);
        return EXIT_CONFIG;
    }
    rulebook_log(config);
    if (sodium_init() < 0) {
        log_line(LOG_ERROR, "no source of random bytes: libsodium does not start");
        return EXIT_FAILED;
    }
    (void)umask(0077); /* the store and its keys are nobody else's; sockets get their own mode */
    return act(&options, TAKE(config));
}

int main(int argc, char **argv)
{
    enum exit_status status = do_as_asked(argc, argv);

    if (fflush(stdout) == 0 && !ferror(stdout))
        return (int)status;
    log_line(LOG_ERROR, "cannot write to stdout: %s; make room there", strerror(errno));
    return status == EXIT_DONE ? (int)EXIT_FAILED : (int)status;
}
