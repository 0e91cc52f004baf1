/*
 * core/problem.h - every refusal, in one table: one row, one truth.
 *
 * The slug is the last part of the problem document's `type` (RFC 9457), the status its HTTP
 * status, the title its `title`. Documentation and tests loop over the table.
 */
#ifndef TALLYD_CORE_PROBLEM_H
#define TALLYD_CORE_PROBLEM_H

#define PROBLEMS(X)                                                                                \
    X(MALFORMED, 400, "malformed", "This request cannot be read")                                  \
    X(UNAUTHORIZED, 401, "unauthorized", "This needs credentials")                                 \
    X(FORBIDDEN, 403, "forbidden", "This is not allowed")                                          \
    X(RESULTS_HIDDEN, 403, "results-hidden", "The results of this poll cannot be seen yet")        \
    X(NO_SUCH_POLL, 404, "no-such-poll", "There is no such poll")                                  \
    X(NO_SUCH_VOTE, 404, "no-such-vote", "There is no such vote")                                  \
    X(NO_SUCH_ROUTE, 404, "no-such-route", "There is nothing at this address")                     \
    X(METHOD_NOT_ALLOWED, 405, "method-not-allowed", "This address does not take this method")     \
    X(TIMEOUT, 408, "timeout", "The request took too long to arrive")                              \
    X(ALREADY_VOTED, 409, "already-voted", "This voter has voted in this poll")                    \
    X(POLL_CLOSED, 409, "poll-closed", "This poll is closed")                                      \
    X(NOT_YET_OPEN, 409, "not-yet-open", "This poll is not open yet")                              \
    X(OPTIONS_IN_USE, 409, "options-in-use", "This cannot change once there are votes")            \
    X(REVOTE_NOT_ALLOWED, 409, "revote-not-allowed", "Votes in this poll cannot be changed")       \
    X(ADDRESS_LIMIT, 409, "address-limit", "This address has cast all the votes it may")           \
    X(EXISTS, 409, "exists", "This exists already")                                                \
    X(VOTE_VOIDED, 409, "vote-voided", "This voter's vote was taken back by the operator")         \
    X(POLL_OPEN, 409, "poll-open", "This poll is still open")                                      \
    X(POLL_FORGOTTEN, 409, "poll-forgotten", "This poll's voters were forgotten")                  \
    X(PRECONDITION_EXISTS, 412, "exists", "This exists already")                                   \
    X(TOO_LARGE, 413, "too-large", "This body is too large")                                       \
    X(URI_TOO_LONG, 414, "uri-too-long", "This address is too long")                               \
    X(UNSUPPORTED_MEDIA_TYPE, 415, "unsupported-media-type", "This type of body is not read here") \
    X(INVALID, 422, "invalid", "This request says something that cannot be")                       \
    X(RATE_LIMITED, 429, "rate-limited", "Too much from one address")                              \
    X(HEAD_TOO_LARGE, 431, "head-too-large", "The head of this request is too large")              \
    X(INTERNAL, 500, "internal", "Something went wrong here")                                      \
    X(NOT_IMPLEMENTED, 501, "not-implemented", "This is not built in")                             \
    X(BUSY, 503, "busy", "Too much at once; the same vote may be sent again")                      \
    X(STORE_UNAVAILABLE, 503, "store-unavailable", "Votes cannot be stored now; send it again")    \
    X(OUTCOME_UNKNOWN, 503, "outcome-unknown", "Whether this counted is not known; send it again")

enum problem {
    PROBLEM_NONE = 0, /* no refusal */
#define PROBLEM_ENUM(name, status, slug, title) PROBLEM_##name,
    PROBLEMS(PROBLEM_ENUM)
#undef PROBLEM_ENUM
};

/* The length of an array by problem, PROBLEM_NONE with them. */
enum {
#define PROBLEM_PLACE(name, status, slug, title) PROBLEM_PLACE_##name,
    PROBLEM_PLACE_OF_NONE,
    PROBLEMS(PROBLEM_PLACE) PROBLEM_KINDS
#undef PROBLEM_PLACE
};

/* Pure; any thread. `problem` is not PROBLEM_NONE. */
unsigned problem_status(enum problem problem);
const char *problem_slug(enum problem problem);
const char *problem_title(enum problem problem);

#endif
