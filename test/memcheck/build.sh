# ./dev memcheck and ./dev sanitize-extension: a server that looks at memory itself,
# and the extension as it is built for that.  And ./dev drift, for its source.
#
# Debian's own server is no help: built without USE_VALGRIND it does not tell valgrind
# where an allocation in a memory context begins and ends, so that only whole blocks
# of malloc()'s would be watched; and its NLS does not start under the address
# sanitizer.  So the server is built from Debian's source, once for each version.
# shellcheck shell=bash

# Builds the server below $checked/root, unless the one that is there is what would be built.
checked_server() {
	local key

	checked=$PWD/build/checked/$PG_MAJOR
	key=$({
		cat test/memcheck/build.sh
		apt-cache show --no-all-versions "postgresql-server-dev-$PG_MAJOR" 2>/dev/null | grep -E '^(Package|Version):'
	} | sha256sum)
	[ "$(cat "$checked/key" 2>/dev/null)" != "$key" ] || return 0
	rm -rf "$checked"
	mkdir -p "$checked/build"
	apt_start "$PWD/build/package/apt"
	apt_unpack_source "postgresql-server-dev-$PG_MAJOR" "$checked/source"
	say "building PostgreSQL $PG_MAJOR with USE_VALGRIND and assertions (some minutes, once)"
	logged "$checked/log" build_checked_server
	chmod -R a+rX build/checked
	echo "$key" >"$checked/key"
}

build_checked_server() {
	cd "$checked/build"
	../source/configure --prefix="$checked/root" --enable-cassert --enable-debug --disable-rpath \
		--without-readline --without-zlib --without-icu \
		CFLAGS='-Og -g -fno-omit-frame-pointer' CPPFLAGS=-DUSE_VALGRIND
	make -s -j "$(nproc)"
	make -s install
	make -s -C src/test/regress install
	make -s -C src/test/isolation install
}

# Builds the extension with the compiler's options given, in build/NAME, and installs it in build/NAME/stage.
checked_extension() {
	local at=$PWD/build/$1 options=$2 libraries=$3

	rm -rf "$at"
	mkdir -p "$at"
	# Away from the usual objects, which make would take for these.
	tar -cf - --exclude='*.o' --exclude='*.so' --exclude='*.bc' \
		Makefile rdsinit.control src sql expected test/isolation | tar -xf - -C "$at"
	say "building the extension in build/$1"
	make -s -j "$(nproc)" -C "$at" all install with_llvm=no WERROR=1 COPT="$options" SHLIB_LINK="$libraries" \
		PG_CONFIG="$checked/root/bin/pg_config" DESTDIR="$at/stage" >/dev/null
	chmod -R a+rX "$at"
}

# Runs the extension's tests against that server: HOW, where the extension is, then its tests' names.
checked_tests() {
	local how=$1
	shift

	PG_CONFIG=$checked/root/bin/pg_config PYTHONPATH=$PWD/test \
		/usr/bin/python3 -m memcheck "$how" "$PWD/build/$how" "$checked/source" "$@"
}

# Under valgrind.
run_memcheck() {
	checked_server
	checked_extension valgrind '-g -O1 -fno-omit-frame-pointer' ''
	say "running the extension's tests under valgrind"
	checked_tests valgrind "$@"
}

# Under the address and undefined-behaviour sanitizers, with the server's assertions.
run_sanitized_extension() {
	local sanitizers='-fsanitize=address,undefined -fno-sanitize-recover=all'

	checked_server
	checked_extension sanitizers "-g -O1 -fno-omit-frame-pointer $sanitizers" "$sanitizers"
	say "running the extension's tests under the sanitizers"
	checked_tests sanitizers "$@"
}

# The server's own regression tests, where its source is already, or else has to be got.
run_drift() {
	local source=$PWD/build/checked/$PG_MAJOR/source

	if [ ! -d "$source/src/test/regress/sql" ]; then
		source=$PWD/build/regress/$PG_MAJOR
		if [ ! -d "$source/src/test/regress/sql" ]; then
			rm -rf "$source"
			mkdir -p "${source%/*}"
			apt_start "$PWD/build/package/apt"
			apt_unpack_source "postgresql-server-dev-$PG_MAJOR" "$source"
		fi
	fi
	RDSINIT_REGRESS=$source/src/test/regress/sql \
		run_pytest -n "$(($(nproc) + 1))" --dist load test/test_drift_regression.py "$@"
}
