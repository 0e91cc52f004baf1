/*
 * ledger/postgres/libpq.h - libpq, loaded when a store needs it.
 *
 * It brings along Kerberos, LDAP and TLS: 5 MiB in memory, which a daemon on SQLite does without.
 * So tallyd is not linked with it; each function is called as pq.PQname().
 */
#ifndef TALLYD_LEDGER_POSTGRES_LIBPQ_H
#define TALLYD_LEDGER_POSTGRES_LIBPQ_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "base/auto.h"
#include "base/why.h"

#define LIBPQ_CALLS(X)                                                                             \
    X(PQclear)                                                                                     \
    X(PQconnectPoll)                                                                               \
    X(PQconnectStartParams)                                                                        \
    X(PQconninfoFree)                                                                              \
    X(PQconninfoParse)                                                                             \
    X(PQconsumeInput)                                                                              \
    X(PQenterPipelineMode)                                                                         \
    X(PQerrorMessage)                                                                              \
    X(PQexitPipelineMode)                                                                          \
    X(PQfinish)                                                                                    \
    X(PQflush)                                                                                     \
    X(PQfreemem)                                                                                   \
    X(PQgetisnull)                                                                                 \
    X(PQgetlength)                                                                                 \
    X(PQgetResult)                                                                                 \
    X(PQgetvalue)                                                                                  \
    X(PQhost)                                                                                      \
    X(PQisBusy)                                                                                    \
    X(PQntuples)                                                                                   \
    X(PQpipelineSync)                                                                              \
    X(PQport)                                                                                      \
    X(PQresultErrorField)                                                                          \
    X(PQresultErrorMessage)                                                                        \
    X(PQresultStatus)                                                                              \
    X(PQsendQuery)                                                                                 \
    X(PQsendQueryParams)                                                                           \
    X(PQsetnonblocking)                                                                            \
    X(PQsetNoticeReceiver)                                                                         \
    X(PQsocket)                                                                                    \
    X(PQstatus)

struct libpq_calls {
#define LIBPQ_CALL(name) __typeof__(name) *name;
    LIBPQ_CALLS(LIBPQ_CALL)
#undef LIBPQ_CALL
};

/* Filled in by libpq_load(), which main calls before the writer starts; never changed after. */
extern struct libpq_calls pq;

/* Loads it, once. false: *reterr_why. */
MUST_USE bool libpq_load(struct why *reterr_why);

#endif
