#pragma once
/*
 * The story of one thing, for tests of stage 1: it is founded and acted upon step by step, each
 * step knowing all before it. Before a step is recorded the rules are asked as the recorder asks
 * them, and after it the fold: both must say the same. One story at a time.
 */
#include "node/views/thing.h"
#include "tests/support/township.h"

/* Who does a step: the hub, a village's device, another device of that village, another village's,
 * the authority. */
enum story_who { HUB, VILLAGE, SECOND, NEIGHBOUR, AUTHORITY };
extern const struct thing_id story_clerk, story_visitor;

struct story_step {
    const char *kind;
    enum story_who who;
    const struct thing_id *by;
    const char *body;
    const char *why;   /* "": it takes effect */
    const char *state; /* the thing's after it; NULL: as before */
};

#define STORY_SCOPE "village:431322111201" /* the first village's */

/* Before and after each test: a township of two villages, and the hub's store. */
int story_begin(void **state);
int story_end(void **state);
/* Founds the thing of the story: the step's `why` "": with effect. */
void story_found(const char *scope, const struct story_step *step);
void story_play(const struct story_step *steps, size_t count);
#define PLAY(steps) story_play((steps), sizeof(steps) / sizeof(steps)[0])

/* The thing's row as it stands, as text (JSON). Freed by story_end. */
const char *story_row(void);
void story_row_has(const char *part);
void story_row_lacks(const char *part);
/* The id of the step's event, in hex; 0: the founding event. Freed by story_end. */
const char *story_event(size_t step);
struct township *story_town(void);
const struct thing_key *story_key(void);
struct township_node *story_node(void);
