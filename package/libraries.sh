# The libraries that the packaged program is linked with, static, for one architecture.
#
# Debian's static libpq and libcurl want Kerberos, which Debian does not have as a
# static library; so both are built here from Debian's sources, with what the trigger
# uses and nothing else.  OpenSSL and jansson are Debian's own static libraries.
# shellcheck shell=bash

# Whose sources are built, and what is taken as it is.
library_sources() {
	printf '%s\n' libcurl4-openssl-dev "postgresql-server-dev-$PG_MAJOR"
}

library_binaries() {
	printf '%s\n' "libssl-dev:$arch" "libjansson-dev:$arch" ca-certificates
}

# What the libraries depend on: this recipe, and the versions that apt knows of.
libraries_key() {
	local package

	{
		echo "$arch $PG_MAJOR"
		cat package/apt.sh package/libraries.sh
		for package in $(library_sources) libssl-dev libjansson-dev ca-certificates "${cross[@]}"; do
			apt-cache show --no-all-versions "$package" 2>/dev/null | grep -E '^(Package|Version):'
		done
	} | sha256sum | cut -d ' ' -f 1
}

# Builds them below $libraries/root, or leaves them, where they are what would be built.
libraries() {
	local key

	key=$(libraries_key)
	[ "$(cat "$libraries/key" 2>/dev/null)" != "$key" ] || return 0
	rm -rf "$libraries"
	mkdir -p "$libraries"
	apt_start "$PWD/build/package/apt"
	say "getting the libraries for $arch"
	# shellcheck disable=SC2046
	apt_unpack "$libraries" $(library_binaries)
	apt_unpack_source libcurl4-openssl-dev "$libraries/curl"
	apt_unpack_source "postgresql-server-dev-$PG_MAJOR" "$libraries/postgresql"
	say "building libcurl for $arch"
	logged "$libraries/curl.log" build_curl
	say "building libpq for $arch"
	logged "$libraries/postgresql.log" build_postgresql
	echo "$key" >"$libraries/key"
}

# The output of a step goes to a file, and its end to the screen where the step fails.
logged() {
	local log=$1
	shift

	# A subshell, so that set -e holds in it.
	(set -e; "$@") >"$log" 2>&1 &
	wait $! || { tail -n 40 "$log" >&2; die "$* failed; all that it said is in $log"; }
}

# Paths do not get into what is compiled: two directories give the same program.
flags() {
	printf '%s ' -O2 -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
		"-ffile-prefix-map=$PWD=." "-ffile-prefix-map=$libraries=."
}

include_flags() {
	printf '%s ' "-isystem $libraries/root/usr/include" "-isystem $libraries/root/usr/include/$triplet"
}

library_flags() {
	printf '%s ' "-L$libraries/root/usr/lib" "-L$libraries/root/usr/lib/$triplet"
}

# HTTP and HTTPS alone.  Where nobody names a CA file, it is that of Lambda's own images.
build_curl() {
	local without=(
		alt-svc cookies dict dnsshuffle doh file ftp gopher hsts imap ldap ldaps libcurl-option manual mime mqtt
		netrc ntlm-wb pop3 progress-meter proxy-ntlm rtsp smb smtp telnet tftp tls-srp unix-sockets)

	cd "$libraries/curl"
	./configure --host="$triplet" --prefix=/usr --disable-shared --enable-static --with-openssl \
		--enable-aws --enable-threaded-resolver --disable-ntlm --disable-dependency-tracking \
		"${without[@]/#/--disable-}" \
		--without-brotli --without-libgsasl --without-libidn2 --without-libpsl --without-librtmp --without-libssh --without-libssh2 \
		--without-nghttp2 --without-zlib --without-zstd --without-gssapi --without-ca-path \
		--with-ca-bundle=/etc/pki/tls/certs/ca-bundle.crt \
		CFLAGS="$(flags)" CPPFLAGS="$(include_flags)" LDFLAGS="$(library_flags)" PKG_CONFIG=false
	make -j "$(nproc)" -C lib V=1
	make -C lib install-libLTLIBRARIES DESTDIR="$libraries/root"
	make -C include install DESTDIR="$libraries/root"
}

# libpq, and what psql's lexer needs.
build_postgresql() {
	local part

	cd "$libraries/postgresql"
	./configure --host="$triplet" --prefix=/usr --sysconfdir=/etc/postgresql-common \
		--with-openssl --without-gssapi --without-ldap --without-pam --without-readline --without-zlib \
		$(./configure --help | sed -n -E 's/^ *(--without-(icu|lz4|zstd|libcurl)) .*/\1/p') \
		CFLAGS="$(flags)" CPPFLAGS="$(include_flags)" LDFLAGS="$(library_flags)"
	make -C src/backend generated-headers
	for part in src/include src/port src/common src/fe_utils; do
		make -j "$(nproc)" -C "$part" all
		make -C "$part" install DESTDIR="$libraries/root"
	done
	make -j "$(nproc)" -C src/interfaces/libpq all-static-lib
	make -C src/interfaces/libpq install-lib-static DESTDIR="$libraries/root"
	cp src/interfaces/libpq/libpq-fe.h src/interfaces/libpq/libpq-events.h src/interfaces/libpq/pqexpbuffer.h \
		"$libraries/root/usr/include"
}
