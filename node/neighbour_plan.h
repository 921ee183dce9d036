#pragma once
/*
 * Who may be at an address of `peers` (SPEC 27.5). CURVE wants to know before it dials whose key is
 * there, and nothing on a LAN tells. So an address may say it: NAME=tcp://HOST:PORT; else all who
 * may be a neighbour are tried one after the other, and who was met there last is tried first.
 */
#include "node/settings.h"
#include "node/views/roster.h"

/* The next to try from 0 on: who was met there last (zeros: nobody yet), those of the own village,
 * then the others, each once. NULL at the end. Joined devices alone, without hubs, for these are
 * dialled otherwise (node/dial_plan.h); nobody for a hub, and for who is not in the roster. */
const struct device *neighbour_candidate(const struct roster *roster, const struct device *self,
                                         const struct settings_peer *peer,
                                         const struct sign_key *met, size_t index);
/* Does the name mean this device: its own, its village's (name, short name, code), or 6 and more
 * digits that its id begins with? "" means everybody. */
bool neighbour_is_meant(const struct roster *roster, const struct device *d, const char *name);
