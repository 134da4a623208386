# The trigger and its readers under the sanitizers, apart from what is delivered.
#
#	make sanitized       ../build/sanitized/bootstrap, and the readers as programs, by gcc
#	make fuzz            the readers with libFuzzer, by clang, in ../build/fuzz
#	make refused         ../build/refused/bootstrap: as the package has it, but of a C library
#	                     that refuses to be told which name services to use
#
# The readers are test/fuzz/event.c, secret.c and bundle.c; test/README.md says more.

SANITIZED = ../build/sanitized
FUZZ = ../build/fuzz
READERS = event secret bundle
REFUSED = ../build/refused
FUZZ_CC ?= clang-14

SANITIZE = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
ALL_BUT_MAIN = $(filter-out main.o,$(OBJECTS))
REPORTS = $(abspath $(SANITIZED))/reports/report
vpath %.c ../test/fuzz ../test/sanitize

sanitized: $(SANITIZED)/bootstrap $(READERS:%=$(SANITIZED)/read-%)

fuzz: $(READERS:%=$(FUZZ)/fuzz-%)

refused: $(REFUSED)/bootstrap

$(REFUSED)/bootstrap: $(filter-out name_services.o,$(OBJECTS)) name_services.c ../test/sanitize/refuse_names.c | $(REFUSED)
	$(CC) $(CFLAGS) $(LDFLAGS) $(TRIGGER_CFLAGS) -DRDSINIT_STATIC $(WRAP) -Wl,--wrap=__nss_configure_lookup -o $@ $^ $(TRIGGER_LIBS)

# What a child process leaves behind is looked for as well, at its _exit().
$(SANITIZED)/bootstrap: $(addprefix $(SANITIZED)/,$(OBJECTS) leaks.o)
	$(CC) $(SANITIZE) $(LDFLAGS) $(WRAP) -Wl,--wrap=_exit -o $@ $^ $(TRIGGER_LIBS)

$(SANITIZED)/read-%: $(SANITIZED)/%_reader.o $(SANITIZED)/pipe.o $(addprefix $(SANITIZED)/,$(ALL_BUT_MAIN))
	$(CC) $(SANITIZE) $(LDFLAGS) $(WRAP) -o $@ $^ $(TRIGGER_LIBS)

$(FUZZ)/fuzz-%: $(FUZZ)/%_reader.o $(FUZZ)/libfuzzer.o $(addprefix $(FUZZ)/,$(ALL_BUT_MAIN))
	$(FUZZ_CC) $(SANITIZE) -fsanitize=fuzzer $(LDFLAGS) $(WRAP) -o $@ $^ $(TRIGGER_LIBS)

$(SANITIZED)/%.o: %.c Makefile sanitize.mk ../rdsinit.control | $(SANITIZED)
	$(CC) $(CPPFLAGS) $(SANITIZE) -I. $(TRIGGER_CFLAGS) -DREPORTS='"$(REPORTS)"' -MMD -MP -c -o $@ $<

$(FUZZ)/%.o: %.c Makefile sanitize.mk ../rdsinit.control | $(FUZZ)
	$(FUZZ_CC) $(CPPFLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link -I. $(TRIGGER_CFLAGS) -MMD -MP -c -o $@ $<

$(SANITIZED) $(FUZZ) $(REFUSED):
	mkdir -p $@

-include $(wildcard $(SANITIZED)/*.d $(FUZZ)/*.d)

.PHONY: sanitized fuzz refused
.SECONDARY:
