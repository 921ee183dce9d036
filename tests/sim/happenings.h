#pragma once
/* Kinds of what happens in a story, each with a counter (tests/sim/sim.h, trace). */

/* What a run must have seen at least once: every kind of fault, and the work in full. */
#define SIM_HAPPENINGS(X)                                                                          \
    X(HAPPENED_CUT, "link cut, both ends told")                                                    \
    X(HAPPENED_CUT_BY_BYTES, "link cut after so many bytes")                                       \
    X(HAPPENED_CUT_IN_FLIGHT, "frames lost in flight")                                             \
    X(HAPPENED_HALF_OPEN, "link dead, one end not told")                                           \
    X(HAPPENED_ONE_WAY, "link that carries one way alone")                                         \
    X(HAPPENED_SWIZZLED, "links gone in turn, back in another order")                              \
    X(HAPPENED_CLOCK_JUMP, "clock that jumped, 1970 to 2106")                                      \
    X(HAPPENED_UNREACHABLE, "dialled a hub that was down")                                         \
    X(HAPPENED_QUEUE_FULL, "send queue full")                                                      \
    X(HAPPENED_VILLAGE_CRASH, "village killed")                                                    \
    X(HAPPENED_HUB_CRASH, "hub killed")                                                            \
    X(HAPPENED_CRASH_IN_TURN, "killed between commit and answer")                                  \
    X(HAPPENED_PUT_BACK, "village put back from an older copy")                                    \
    X(HAPPENED_CLONED, "disk used twice")                                                          \
    X(HAPPENED_CLONE_OWED, "record of the second one that others had")                             \
    X(HAPPENED_CLEAN_RESTART, "stopped and started in good order")                                 \
    X(HAPPENED_WRONG_CLOCK, "village with a wrong clock")                                          \
    X(HAPPENED_SEALED, "accusation sealed for the office")                                         \
    X(HAPPENED_CLOSED, "request closed")                                                           \
    X(HAPPENED_ESCALATED, "request escalated by its village")                                      \
    X(HAPPENED_ANSWERED, "question answered at once")                                              \
    X(HAPPENED_OBJECTED, "order objected to")                                                      \
    X(HAPPENED_EXTENDED, "due date extended")                                                      \
    X(HAPPENED_RESUMED, "handling resumed after a suspension")                                     \
    X(HAPPENED_REOPENED, "request reopened")                                                       \
    X(HAPPENED_WITHDRAWN, "request withdrawn")                                                     \
    X(HAPPENED_BOTH_CHANGED, "request changed by two who were apart")                              \
    X(HAPPENED_ERASED, "closed request erased")                                                    \
    X(HAPPENED_REVOKED, "stolen laptop revoked")                                                   \
    X(HAPPENED_NEW_LAPTOP, "new laptop for its village")                                           \
    X(HAPPENED_ASIDE, "record of a thief that stands aside")                                       \
    X(HAPPENED_ROTATED_SIGNER, "signing key changed")                                              \
    X(HAPPENED_ROTATED_TRANSPORT, "transport key changed")                                         \
    X(HAPPENED_REPLACED, "authority replaced")                                                     \
    X(HAPPENED_OLD_AUTHORITY, "replaced authority that went on")                                   \
    X(HAPPENED_STICK_WRITTEN, "stick written")                                                     \
    X(HAPPENED_STICK_LOST, "stick lost")                                                           \
    X(HAPPENED_STICK_CUT, "stick whose file is cut")                                               \
    X(HAPPENED_STICK_FLIPPED, "stick with a flipped bit")                                          \
    X(HAPPENED_STICK_NEWS, "stick with what was not there")                                        \
    X(HAPPENED_STICK_TWICE, "stick taken twice")                                                   \
    X(HAPPENED_STICK_LATE, "stick that was on its way for weeks")                                  \
    X(HAPPENED_STICK_OLDER, "older stick after a newer one")                                       \
    X(HAPPENED_STICK_RECEIPT, "stick with a receipt")                                              \
    X(HAPPENED_STICK_REPLY, "stick answered by one")                                               \
    X(HAPPENED_STICK_REFUSED, "stick that begins behind what is held")                             \
    X(HAPPENED_STICK_OF_GONE, "stick of a laptop that was stolen")                                 \
    X(HAPPENED_STICK_FOR_GONE, "stick for a laptop that is gone")                                  \
    X(HAPPENED_STICK_OLD_KEY, "stick sealed to a key that was changed")

enum sim_happening {
#define SIM_HAPPENING_ENUM(code, text) code,
    SIM_HAPPENINGS(SIM_HAPPENING_ENUM)
#undef SIM_HAPPENING_ENUM
        HAPPENING_COUNT
};
const char *happening_text(enum sim_happening f);
