#pragma once
/* The version of these programs: shown by `sidan --version` and `status`, told to peers in HELLO.
 */
#define SIDAN_VERSION "1.0"
