# sidan: one Makefile, not recursive. `make help` lists the targets.

# --- settings ---------------------------------------------------------------------------------
CC       ?= gcc
CLANG    ?= clang
PREFIX   ?= /usr/local
DESTDIR  ?=
V        ?= 0
SAN      ?=
COVERAGE ?=
SEEDS    ?= 400
VILLAGES ?= 27
INPUT    ?=
ifeq ($(origin CC),default)
CC       := gcc
endif
comma    := ,
BUILD    := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(COVERAGE),/coverage)
Q        := $(if $(filter 1,$(V)),,@)
say       = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' $(1) $(2))

ifeq ($(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := all

WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wundef
OPT      := $(if $(SAN)$(COVERAGE),-O1 -fno-omit-frame-pointer,-O2)
BASE     := -std=c17 -D_DEFAULT_SOURCE -g $(WARN)
ALL_CFLAGS := $(BASE) $(OPT) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=undefined) \
              $(if $(COVERAGE),--coverage) $(CFLAGS)
ALL_CPPFLAGS := -I. -MMD -MP -DSIDAN_BUILD_DIR='"$(CURDIR)/$(BUILD)"' $(CPPFLAGS)
LDLIBS   := -lzmq -llmdb -lmsgpackc -lsodium -lzstd -ljansson -lcsv -lsystemd -lqrencode -lkeyutils
ALL_LDFLAGS := $(if $(SAN),-fsanitize=$(SAN)) $(if $(COVERAGE),--coverage) $(LDFLAGS)

# --- Debian packages, by purpose --------------------------------------------------------------
DEPS_BUILD := gcc libc6-dev pkg-config gettext libzmq3-dev liblmdb-dev libmsgpack-dev \
              libsodium-dev libzstd-dev libjansson-dev libcsv-dev libsystemd-dev libqrencode-dev \
              libkeyutils-dev
DEPS_DEMO  := jq
DEPS_CHECK := faketime iproute2 libcmocka-dev jq python3 python3-nacl python3-zmq xz-utils zstd
DEPS_FUZZ  := clang libclang-rt-14-dev
DEPS_LINT  := clang clang-format cppcheck

# --- sources ----------------------------------------------------------------------------------
LIB_SRC     := $(filter-out node/main.c,$(wildcard common/*.c proto/*.c node/*.c node/*/*.c))
NODE_SRC    := $(wildcard node/main.c)
TOOL_SRC    := $(wildcard tools/*.c tools/*/*.c)
UNIT_SRC    := $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)
LAB_SRC     := $(wildcard tests/lab/*.c)
SIM_SRC     := $(wildcard tests/sim/*.c)
BENCH_SRC   := $(wildcard tests/bench/*.c)
FUZZ_SRC    := $(wildcard tests/fuzz/*.c)
VECTORS_SRC := $(wildcard tests/vectors/*.c)
FAULT_SRC   := $(wildcard tests/fault/*.c)
C_SRC       := $(LIB_SRC) $(NODE_SRC) $(TOOL_SRC) $(UNIT_SRC) $(SUPPORT_SRC) $(LAB_SRC) $(SIM_SRC) \
               $(BENCH_SRC) $(FUZZ_SRC) $(VECTORS_SRC) $(FAULT_SRC)

obj         = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB        := $(BUILD)/libsidan.a
UNITS      := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
BENCHES    := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(filter tests/bench/bench_%,$(BENCH_SRC)))
FUZZERS    := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(filter tests/fuzz/fuzz_%,$(FUZZ_SRC)))
SMOKES     := $(patsubst tests/fuzz/%.c,build/smoke/%,$(filter tests/fuzz/fuzz_%,$(FUZZ_SRC)))
E2E        := $(wildcard tests/e2e/test_*)
PROGRAMS   := $(BUILD)/sidan $(BUILD)/sidan-node
CATALOGUE  := $(BUILD)/locale/zh_CN/LC_MESSAGES/sidan.mo

.PHONY: all units check quick mutants demo bench lint lint-warnings lint-clang format fuzz vectors coverage \
        install clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS)

# --- stamps: what is installed, and the flags that objects were made with ----------------------
# A stamp is rewritten only when its content changes, so a changed list installs and a changed
# flag rebuilds, and nothing else does.
stamp = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || \
        printf '%s\n' '$(subst ','\'',$(1))' >$@

PACKAGES := build/.packages
$(PACKAGES)-build:  NEED = $(DEPS_BUILD)
$(PACKAGES)-demo:   NEED = $(DEPS_DEMO)
$(PACKAGES)-check:  NEED = $(DEPS_CHECK)
$(PACKAGES)-fuzz:   NEED = $(DEPS_FUZZ)
$(PACKAGES)-lint:   NEED = $(DEPS_LINT)
$(PACKAGES)-%: FORCE
	@mkdir -p $(@D)
	@test "$$(cat $@ 2>/dev/null)" = "$(NEED)" || { \
	    sh tests/lint/install-packages $(NEED) && echo "$(NEED)" >$@; }

$(BUILD)/.flags: FORCE
	$(call stamp,$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LDLIBS))

# --- objects ----------------------------------------------------------------------------------
$(BUILD)/obj/%.o: %.c $(BUILD)/.flags | $(PACKAGES)-build
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(call obj,$(UNIT_SRC) $(SUPPORT_SRC)): | $(PACKAGES)-check

$(LIB): $(call obj,$(LIB_SRC))
	$(call say,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $^

define LINK
$(call say,LD,$@)
@mkdir -p $(@D)
$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
endef

$(BUILD)/sidan-node: $(call obj,$(NODE_SRC)) $(LIB) | $(CATALOGUE)
	$(LINK)

$(BUILD)/sidan: $(call obj,$(TOOL_SRC)) $(LIB) | $(CATALOGUE)
	$(LINK)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(call obj,$(SUPPORT_SRC)) $(LIB)
	$(LINK) -lcmocka

$(BUILD)/unit/tools/%: $(BUILD)/obj/tests/unit/tools/%.o \
                       $(call obj,$(SUPPORT_SRC) $(filter-out tools/main.c,$(TOOL_SRC))) $(LIB)
	$(LINK) -lcmocka

$(BUILD)/sim: $(call obj,$(SIM_SRC) tests/support/link_model.c tests/support/rng.c) $(LIB)
	$(LINK) -Wl,--wrap=crypto_verify,--wrap=zstd_compress

$(BUILD)/link: $(call obj,$(LAB_SRC) tests/support/link_model.c tests/support/rng.c)
	$(LINK)

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o \
                 $(call obj,$(filter-out tests/bench/bench_%,$(BENCH_SRC))) $(LIB)
	$(LINK)

$(BUILD)/vectors: $(call obj,$(VECTORS_SRC) $(addprefix tests/support/,township.c histories.c rng.c)) \
                  $(LIB)
	$(LINK)

# An image of a home stands for the home: what tells copies apart is not asked.
$(BUILD)/fault/images: $(call obj,$(addprefix tests/fault/,images.c check.c contact.c world.c disk.c image.c trace.c same.c) \
                      tests/support/rng.c tests/support/pipe.c) $(LIB)
	$(LINK) -Wl,--wrap=machine_compare

$(BUILD)/fault/bits: $(call obj,$(addprefix tests/fault/,bits.c same.c) tests/support/rng.c) $(LIB)
	$(LINK) -Wl,--wrap=machine_compare

# What is preloaded into programs as they are.
$(BUILD)/fault/%.so: tests/fault/%.c $(BUILD)/.flags | $(PACKAGES)-build
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -I. -MMD -MP $(BASE) -O2 -fPIC -shared -o $@ $< -ldl

units: $(UNITS)

# --- translations ------------------------------------------------------------------------------
# The programs look for the catalogue beside themselves, then in /usr/local/share/locale.
$(CATALOGUE): common/po/zh_CN.po | $(PACKAGES)-build
	$(call say,MSGFMT,$@)
	@mkdir -p $(@D)
	$(Q)msgfmt --check-format -o $@ $<

# --- tests ------------------------------------------------------------------------------------
RUN := BUILD=$(BUILD) SAN='$(SAN)' VILLAGES_CSV=tests/demo/langtang-villages.csv tests/run

# The fault lab preloads libraries, which sanitizers do not like.
FAULT := $(if $(SAN)$(COVERAGE),,$(addprefix $(BUILD)/fault/,images bits record.so fail.so))
FAULT_RUNS := $(if $(FAULT),'tests/fault/run images link' 'tests/fault/run images stick' 'tests/fault/run bits link' \
              'tests/fault/run lies link' 'tests/fault/run nth link' 'tests/fault/run kill link')

# The seeds in two halves, so that two cores have work to the end.
check: $(UNITS) $(PROGRAMS) $(BUILD)/sim $(BUILD)/link $(BUILD)/vectors $(FAULT) $(if $(SAN),,$(SMOKES)) | $(PACKAGES)-check
	@$(RUN) '$(BUILD)/sim --seeds 1-$(SEEDS) --part 1/2' '$(BUILD)/sim --seeds 1-$(SEEDS) --part 2/2' \
	    '$(BUILD)/sim --scenes' \
	    $(FAULT_RUNS) $(E2E) tests/vectors/check.py tests/lint/light $(if $(SAN),,$(SMOKES)) $(UNITS)

quick: $(UNITS) $(BUILD)/sim | $(PACKAGES)-check
	@$(RUN) '$(BUILD)/sim --seeds 1-4' tests/lint/light $(UNITS)

mutants: | $(PACKAGES)-check
	@tests/mutants/run

# Appends to tests/TORTURE.md.
HOURS ?= 1
torture: $(PROGRAMS) $(BUILD)/link $(FAULT) | $(PACKAGES)-check
	@BUILD=$(BUILD) HOURS=$(HOURS) tests/fault/torture

demo: $(PROGRAMS) $(BUILD)/link | $(PACKAGES)-demo
	@BUILD=$(BUILD) tests/demo/run --villages '$(VILLAGES)' $(if $(INPUT),--input '$(INPUT)')

bench: $(PROGRAMS) $(BENCHES) $(BUILD)/link $(BUILD)/sim | $(PACKAGES)-check
	@BUILD=$(BUILD) tests/bench/run

# The golden vectors anew; a change of them is a change of the protocol.
vectors: $(BUILD)/vectors
	@$(BUILD)/vectors tests/vectors

coverage: | $(PACKAGES)-check
	@$(MAKE) COVERAGE=1 SEEDS=8 check
	@tests/lint/coverage build/coverage

# --- fuzzing ----------------------------------------------------------------------------------
# `fuzz` is libFuzzer for as long as FUZZ_SECONDS says; the smoke run in `check` feeds the same
# targets their corpus and seeded mutations of it, and needs no clang.
FUZZ_SECONDS ?= 60
FUZZ_LIB   := $(filter common/% proto/% node/office/% node/sync/%,$(LIB_SRC)) node/views/body.c
FUZZ_LIBS  := -lmsgpackc -lsodium -lzstd -ljansson -lcsv
# Bundles go into a real store, which is all of the library.
FUZZ_STORE := $(LIB_SRC) tests/support/township.c
FUZZ_FLAGS := $(BASE) -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
SMOKE_FLAGS := $(BASE) -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined

build/fuzz/obj/%.o: %.c | $(PACKAGES)-build $(PACKAGES)-fuzz
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -I. -MMD -MP $(FUZZ_FLAGS) -c -o $@ $<

build/fuzz/fuzz_%: build/fuzz/obj/tests/fuzz/fuzz_%.o $(patsubst %.c,build/fuzz/obj/%.o,$(FUZZ_LIB))
	$(call say,LD,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(FUZZ_LIBS)

build/smoke/obj/%.o: %.c | $(PACKAGES)-build
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)gcc -I. -MMD -MP $(SMOKE_FLAGS) -c -o $@ $<

build/smoke/fuzz_%: build/smoke/obj/tests/fuzz/fuzz_%.o build/smoke/obj/tests/fuzz/smoke.o \
                    $(patsubst %.c,build/smoke/obj/%.o,$(FUZZ_LIB))
	$(call say,LD,$@)
	$(Q)gcc -fsanitize=address,undefined -o $@ $^ $(FUZZ_LIBS)

build/fuzz/fuzz_bundle: $(patsubst %.c,build/fuzz/obj/%.o,$(FUZZ_STORE))
build/smoke/fuzz_bundle: $(patsubst %.c,build/smoke/obj/%.o,$(FUZZ_STORE))
build/fuzz/fuzz_bundle build/smoke/fuzz_bundle: FUZZ_LIBS = $(LDLIBS)

build/fuzz/fuzz_pipe: $(patsubst %,build/fuzz/obj/node/link/%.o,packet pipe_link pipe_talk)
build/smoke/fuzz_pipe: $(patsubst %,build/smoke/obj/node/link/%.o,packet pipe_link pipe_talk)

fuzz: $(FUZZERS)
	@for f in $(FUZZERS); do name=$${f##*/fuzz_}; echo "== $$name"; \
	    mkdir -p build/fuzz/corpus/$$name; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -max_len=131072 -rss_limit_mb=1024 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/$$name- build/fuzz/corpus/$$name \
	        $$(ls -d tests/fuzz/corpus/$$name 2>/dev/null) \
	        >build/fuzz/$$name.log 2>&1 || { tail -n 40 build/fuzz/$$name.log; exit 1; }; \
	    tail -n 6 build/fuzz/$$name.log; done

# --- lint -------------------------------------------------------------------------------------
lint: lint-warnings lint-clang | $(PACKAGES)-lint $(PACKAGES)-check
	@tests/lint/all

lint_gcc   := $(patsubst %.c,build/lint/gcc/%.ok,$(C_SRC))
lint_clang := $(patsubst %.c,build/lint/clang/%.ok,$(C_SRC))
lint-warnings: $(lint_gcc)
lint-clang: $(lint_clang)

build/lint/gcc/%.ok: %.c | $(PACKAGES)-build $(PACKAGES)-check
	@mkdir -p $(@D)
	$(Q)gcc -I. -MMD -MP -MT $@ -MF $(@:.ok=.d) -DSIDAN_BUILD_DIR='""' $(BASE) -O2 -Werror -S -o /dev/null $<
	@touch $@

build/lint/clang/%.ok: %.c | $(PACKAGES)-build $(PACKAGES)-check $(PACKAGES)-lint
	@mkdir -p $(@D)
	$(Q)$(CLANG) -I. -MMD -MP -MT $@ -MF $(@:.ok=.d) -DSIDAN_BUILD_DIR='""' $(BASE) -O1 -Werror \
	    -Wno-sign-conversion -S -o /dev/null $<
	@touch $@

# Puts every source into the form that lint asks for.
format: | $(PACKAGES)-lint
	$(Q)find common proto node tools tests -name '*.[ch]' | xargs clang-format -i --style=file

# --- installing -------------------------------------------------------------------------------
install: $(PROGRAMS)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -D -m 644 $(CATALOGUE) $(DESTDIR)$(PREFIX)/share/locale/zh_CN/LC_MESSAGES/sidan.mo
	sed 's|@PREFIX@|$(PREFIX)|g' node/sidan-node@.service.in \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/sidan-node@.service

clean:
	rm -rf build

help:
	@sed -n 's/^#> //p' Makefile

#> make            install what is missing, build build/sidan and build/sidan-node
#> make demo       a township on this machine: one hub, 27 villages, links cut and given back
#>                   INPUT=file.ndjson plays a real file, VILLAGES=n another size
#> make check      everything: units, simulator, end to end, fuzz smoke; last line: N passed, N failed
#>                   SEEDS=n for the simulator, SAN=address,undefined with sanitizers
#> make torture    HOURS=n: the fault lab with new seeds, long; appends to tests/TORTURE.md
#> make quick      units and a few seeds, under a minute
#> make mutants    dangerous changes of the program, each of which a test must notice (SEEDS=50)
#> make bench      the figures of the design, measured here and now
#> make lint       layers, format, sizes, warnings of gcc and clang, cppcheck, translations
#> make format     put every source into that form
#> make fuzz       libFuzzer on every target, FUZZ_SECONDS=60 each
#> make vectors    writes the golden vectors of the protocol anew
#> make coverage   lines reached by the tests, by file
#> make install    PREFIX=/usr/local, DESTDIR= for packagers
#> make clean      remove build/
#> V=1 shows the commands.

-include $(shell find build -name '*.d' 2>/dev/null)
