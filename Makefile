# sidan: one Makefile, not recursive. `make help` lists the targets.

# --- settings ---------------------------------------------------------------------------------
CC       ?= gcc
V        ?= 0
SAN      ?=
comma    := ,
BUILD    := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
Q        := $(if $(filter 1,$(V)),,@)
say       = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' $(1) $(2))

WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wundef
OPT      := $(if $(SAN),-O1 -fno-omit-frame-pointer,-O2)
CFLAGS   += -std=c17 -D_DEFAULT_SOURCE -g $(OPT) $(WARN) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=undefined)
CPPFLAGS += -I. -MMD -MP -DSIDAN_BUILD_DIR='"$(CURDIR)/$(BUILD)"'
LDLIBS   := -lzmq -llmdb -lmsgpackc -lsodium -lzstd -ljansson -lcsv -lsystemd -lqrencode
LDFLAGS  += $(if $(SAN),-fsanitize=$(SAN))

# --- Debian packages --------------------------------------------------------------------------
DEPS_BUILD := gcc libc6-dev pkg-config gettext libzmq3-dev liblmdb-dev libmsgpack-dev \
              libsodium-dev libzstd-dev libjansson-dev libcsv-dev libsystemd-dev libqrencode-dev
DEPS_CHECK := libcmocka-dev

# --- sources ----------------------------------------------------------------------------------
LIB_SRC   := $(filter-out node/main.c,$(wildcard common/*.c proto/*.c node/*.c node/*/*.c))
NODE_SRC  := node/main.c
TOOL_SRC  := $(wildcard tools/*.c)
UNIT_SRC  := $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)

obj        = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB       := $(BUILD)/libsidan.a
UNITS     := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))

.PHONY: all deps units clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/sidan $(BUILD)/sidan-node

# --- objects ----------------------------------------------------------------------------------
$(BUILD)/obj/%.o: %.c $(BUILD)/.deps
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(LIB): $(call obj,$(LIB_SRC))
	$(call say,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/sidan-node: $(call obj,$(NODE_SRC)) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/sidan: $(call obj,$(TOOL_SRC)) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(call obj,$(SUPPORT_SRC)) $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

units: $(UNITS)

# --- dependencies -----------------------------------------------------------------------------
$(BUILD)/.deps: Makefile
	@mkdir -p $(@D)
	@sh tests/lint/install-packages $(DEPS_BUILD) $(DEPS_CHECK)
	@touch $@

clean:
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
