# rdsinit: the extension, by PGXS; and the trigger, by trigger/Makefile.
#
#	make                 builds the extension
#	make install         installs it into the PostgreSQL of PG_CONFIG
#	make installcheck    runs its tests against a running server
#	make trigger         builds trigger/bootstrap
#
# WERROR=1 makes warnings errors, in both.

EXTENSION = rdsinit
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/rdsinit.control)

MODULE_big = rdsinit
OBJS = \
	src/activity.o \
	src/adopt.o \
	src/ahead.o \
	src/answer.o \
	src/apply.o \
	src/aside.o \
	src/batch.o \
	src/body.o \
	src/bundle.o \
	src/call.o \
	src/client.o \
	src/copydata.o \
	src/deadline.o \
	src/decide.o \
	src/definition.o \
	src/definition_columns.o \
	src/definition_constraint.o \
	src/definition_index.o \
	src/definition_routine.o \
	src/dependents.o \
	src/deploy.o \
	src/distributed.o \
	src/drift.o \
	src/ensure.o \
	src/errctx.o \
	src/files.o \
	src/fingerprint.o \
	src/guard.o \
	src/history.o \
	src/history_read.o \
	src/hooks.o \
	src/keep.o \
	src/kept.o \
	src/kinds_code.o \
	src/kinds_foreign.o \
	src/kinds_part.o \
	src/kinds_relation.o \
	src/kinds_rest.o \
	src/kinds_schema.o \
	src/kinds_type.o \
	src/leftovers.o \
	src/objects.o \
	src/observe.o \
	src/observe_locks.o \
	src/observe_objects.o \
	src/observe_relations.o \
	src/observe_utility.o \
	src/options.o \
	src/plan.o \
	src/plan_answer.o \
	src/plan_call.o \
	src/plan_html.o \
	src/plan_picture.o \
	src/plan_text.o \
	src/plan_warnings.o \
	src/plan_words.o \
	src/policy.o \
	src/psqlarg.o \
	src/psqlcmd.o \
	src/psqlif.o \
	src/quiet.o \
	src/rdsinit.o \
	src/reader.o \
	src/request.o \
	src/result.o \
	src/retry.o \
	src/rights.o \
	src/run.o \
	src/script.o \
	src/script_data.o \
	src/script_text.o \
	src/session.o \
	src/shared/naming.o \
	src/shared/pending.o \
	src/shared/sections.o \
	src/source.o \
	src/statement.o \
	src/steps.o \
	src/touched.o \
	src/touched_command.o \
	src/touched_family.o \
	src/touched_granted.o \
	src/trust.o \
	src/turn.o \
	src/variables.o \
	src/versions.o \
	src/waits.o \
	src/worker.o \
	src/worker_main.o \
	src/worker_task.o

# Scripts that install a version, and those that lead from one to another.
DATA = $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/sql/rdsinit--*.sql))
PG_CPPFLAGS = -I$(srcdir)/src -DRDS_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers \
	$(if $(WERROR),-Werror)

# One file for each capability; what a user types, and what he gets.
REGRESS = install apply statements transactions settings errors bundle history rights copy psql \
	versions undo deploy adopt ensure guard drift plan timeouts batch
REGRESS_OPTS = --inputdir=$(srcdir)
ISOLATION = turns locks deploys databases
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation

# No bitcode: JIT could inline nothing of ours, and clang need not be there.
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Nothing is exported but what the server calls: since PostgreSQL 16 PGXS sees to that.
ifeq ($(MAJORVERSION),15)
override CFLAGS += -fvisibility=hidden
override CPPFLAGS += -DPGDLLEXPORT='__attribute__((visibility("default")))'
endif

# Before PostgreSQL 19 a script could set standard_conforming_strings off.
ifneq ($(filter 15 16 17 18,$(MAJORVERSION)),)
REGRESS += strings
endif

$(OBJS): $(wildcard $(srcdir)/src/*.h $(srcdir)/src/shared/*.h) $(srcdir)/rdsinit.control

# Built in another directory (VPATH), the objects' directories are not there yet.
OBJECT_DIRECTORIES = $(addprefix $(CURDIR)/,src src/shared)
$(OBJS): | $(OBJECT_DIRECTORIES)
$(OBJECT_DIRECTORIES):
	mkdir -p $@

.PHONY: trigger trigger-clean
trigger:
	$(MAKE) -C $(srcdir)/trigger PG_CONFIG=$(PG_CONFIG)

clean: trigger-clean
trigger-clean:
	$(MAKE) -C $(srcdir)/trigger clean
