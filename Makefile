# returns: product returns inside PostgreSQL
#
#	make && make install	build for the server that pg_config belongs to
#	make demo		show a return from request to money, on a private server
#	make test		every suite, on private servers (TESTS='regress/ pgtap/x')
#	make bench		the benchmarks, on a private server (BENCH='arguments')
#	make property		the property tests with many more inputs (COUNT=100000 LIVES=20000)
#	make orders		return all lines of real orders (ORDERS=folder, see test/real_orders)
#	make mutate		change the code at one place at a time and run the tests (COUNT=200)
#	make lint		the checks of the tree that need no server
#	make indent		show the changes of PostgreSQL's indenter; FILES='src/...': make them
#	make installcheck	the SQL suites on the running server (PGHOST, PGPORT)
#
# PG_CONFIG=/path/to/pg_config or PGVERSION=17 chooses the server.
# WERROR=1 turns warnings into errors.

all:

EXTENSION = returns
MODULE_big = returns
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" returns.control)
SCRIPT := sql/returns--$(EXTVERSION).sql
SETUP = src/load/setup_sql.h

OBJS = $(sort $(patsubst %.c,%.o,$(wildcard src/*/*.c src/*/*/*.c)))
DATA = $(wildcard sql/returns--*--*.sql)
DATA_built = $(SCRIPT)
EXTRA_CLEAN = $(OBJS:.o=.d) $(SETUP) $(SETUP).new $(SCRIPT).new \
	$(filter-out $(DATA),$(wildcard sql/returns--*.sql))

PG_CPPFLAGS = -Isrc -DRETURNS_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -MMD -MP
ifeq ($(WERROR),1)
PG_CFLAGS += -Werror
endif

# These targets need no PostgreSQL from the environment: test/run finds or
# installs it.
RUNS = demo test bench check property orders mutate lint indent
.PHONY: $(RUNS) installcheck FORCE
demo:
	@test/run demo
test:
	@test/run test $(TESTS)
bench:
	@test/run bench $(BENCH)
check: test

# Long runs for developers, not part of the tests.
property:
	@RETURNS_PROPERTY_COUNT=$${COUNT:-100000} RETURNS_PROPERTY_LIVES=$${LIVES:-20000} \
		RETURNS_TEST_TIMEOUT=$${TIMEOUT:-7200} test/run test pgtap/deadline pgtap/money_lives
orders:
	@test/real_orders $(ORDERS)
mutate:
	@test/run mutate $(TESTS)
lint:
	@for check in test/lint/tree/*.pl; do perl $$check; done | { ! grep .; }
indent:
	@test/indent $(FILES)

ifneq ($(filter-out $(RUNS),$(or $(MAKECMDGOALS),all)),)

ifdef PGVERSION
PG_CONFIG ?= /usr/lib/postgresql/$(PGVERSION)/bin/pg_config
else
PG_CONFIG ?= pg_config
endif
NO_INSTALLCHECK = 1
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Export only the symbols that the server calls.
ifeq ($(PORTNAME),linux)
SHLIB_LINK += -Wl,--version-script=src/load/exports.map
endif
$(shlib): src/load/exports.map

# Both files are built each time, so that added and removed scripts count, and
# replaced only if they differ.
$(SCRIPT): FORCE
	@cat $(sort $(wildcard sql/functions/*.sql)) > $@.new
	@cmp -s $@.new $@ && rm -f $@.new || mv $@.new $@

$(SETUP): FORCE
	@src/load/embed.sh > $@.new
	@cmp -s $@.new $@ && rm -f $@.new || mv $@.new $@

# The first build has no dependency files (.d) yet.
$(OBJS): returns.control | $(SETUP)
-include $(OBJS:.o=.d)
$(OBJS:.o=.bc): returns.control $(wildcard src/*/*.h src/*/*/*.h) $(SETUP)

installcheck:
	@PG_CONFIG='$(PG_CONFIG)' test/run installcheck

endif
