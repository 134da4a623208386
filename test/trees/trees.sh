# Trees: other releases of Debian below a directory, each with another PostgreSQL,
# in which the project is built and tested.
#
# A tree is unpacked, not installed: none of its packages' scripts is run.  That takes
# a quarter of the time, and compilers, servers and Python need no more.
# shellcheck shell=bash

# PostgreSQL's major version, and the suites that it comes from.
tree_table() {
	cat <<-TABLE
		15 bookworm
		17 trixie
		18 sid
		19 sid experimental
	TABLE
}

trees() {
	echo "${RDSINIT_CACHE:-$PWD/build/trees}"
}

# What a tree is made of.  server-dev would bring clang and LLVM along, without which we build: see tree_server_dev.
tree_packages() {
	local major=$1

	printf '%s\n' gcc make libc6-dev pkg-config mawk mount openssl pgbouncer \
		"postgresql-$major" "postgresql-plperl-$major" libcurl4-openssl-dev libjansson-dev libpq-dev \
		python3 python3-botocore python3-jsonschema python3-psycopg2 python3-pytest python3-pytest-xdist
	case $major in
		# where `./dev test` finds moto's server, which bookworm does not have
		"$moto_major") printf '%s\n' python3-moto python3-flask python3-flask-cors python3-cffi-backend ;;
	esac
}
moto_major=17

# Makes the trees of these major versions, or of all, several at once.  $scratch/MAJOR.skipped says why there is none.
make_trees() {
	local major suites pids=()

	[ "$(id -u)" = 0 ] || die "only root can make trees"
	require trees
	mkdir -p "$(trees)"
	while read -r major suites; do
		case " $* " in *" $major "* | "  ") ;; *) continue ;; esac
		# shellcheck disable=SC2086
		make_tree "$major" $suites &
		pids+=($!)
	done < <(tree_table)
	wait "${pids[@]}"
}

# One tree, unless it is there already, made of the same; others that make it are waited for.
make_tree() {
	local major=$1 place log=$scratch/$1.log suite sources=() began=$SECONDS
	shift

	place=$(trees)/$major
	exec 9>"$place.lock"
	flock 9
	if [ "$(cat "$place/made-of" 2>/dev/null)" = "$(tree_made_of "$major" "$@")" ]; then
		return
	fi
	rm -rf "$place" "$place.part"
	say "unpacking $* with PostgreSQL $major"
	for suite; do
		sources+=("$(tree_source "$suite")")
	done
	tree_apt_options >"$scratch/apt.conf.$major"
	if mmdebstrap --mode=root --variant=extract --skip=check/qemu,check/signed-by --aptopt="$scratch/apt.conf.$major" \
		--include='?essential' --include="$(tree_packages "$major" | tr '\n' ' ')" \
		--setup-hook="$(tree_pins)" --extract-hook="$(tree_server_dev "$major")" \
		"$1" "$place.part" "${sources[@]}" >"$log" 2>&1 &&
		tree_finish "$place.part" >>"$log" 2>&1; then
		tree_made_of "$major" "$@" >"$place.part/made-of"
		mv "$place.part" "$place"
		say "PostgreSQL $major of $* is there after $((SECONDS - began)) s"
	else
		rm -rf "$place.part"
		{ echo "$* with PostgreSQL $major cannot be had:"; grep -E '^(E|Err|W): ?' "$log" || tail -n 5 "$log"; } >"$scratch/$major.skipped"
	fi
}

tree_made_of() {
	echo "${@:2}" $(tree_packages "$1")
	sha256sum <test/trees/trees.sh
}

# The archive that this machine has Debian from, as a line of sources.list, for another suite.
tree_source() {
	local suite=$1 own entry uri options

	own=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
	# shellcheck disable=SC2016
	read -r entry uri < <(apt-get indextargets --format '$(SOURCESENTRY) $(REPO_URI) $(RELEASE) $(COMPONENT) $(TARGET_OF)' \
		'Identifier: Packages' | awk -v own="$own" '
			$4 == "main" && $5 == "deb" && ($3 == own || $3 ~ /^(oldstable|stable|testing|unstable|sid)$/) { print $1, $2; exit }') ||
		die "apt has no archive of Debian: neither /etc/apt/sources.list nor /etc/apt/sources.list.d names one"
	options=$(sed -n -E \
		-e 's/^deb .*[[ ](signed-by=[^] ]*).*/\1/p' -e 's/^Signed-By:[[:space:]]*(\/[^ ]*)$/signed-by=\1/p' \
		-e 's/^deb .*[[ ](trusted=yes).*/\1/p' -e 's/^Trusted:[[:space:]]*yes$/trusted=yes/p' "${entry%:*}" | sort -u | sort -u -t= -k1,1 | tr '\n' ' ')
	echo "deb ${options:+[ $options] }$uri $suite main"
}

# How this machine reaches archives: its proxies, certificates and passwords.
tree_apt_options() {
	apt-config dump | grep -E '^Acquire::(http|https|Retries|ForceIPv|Proxy)' || true
	cat <<-'CONF'
		Acquire::Check-Valid-Until "false";
		Acquire::Retries "3";
		Acquire::Languages "none";
		APT::Install-Recommends "false";
		Dir::Etc::netrc "/etc/apt/auth.conf";
		Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
	CONF
}

# Of experimental, nothing but PostgreSQL.
tree_pins() {
	# shellcheck disable=SC2016
	echo 'printf "Package: src:postgresql-*\nPin: release a=experimental\nPin-Priority: 990\n" >"$1/etc/apt/preferences.d/postgresql"'
}

# The server's headers and PGXS, without what their package depends on.
tree_server_dev() {
	# shellcheck disable=SC2016
	printf 'mkdir "$1/debs" && cd "$1/debs" && for package in postgresql-server-dev-%s postgresql-common-dev; do %s; done; %s' "$1" \
		'APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download -q "$package"' \
		'ls postgresql-server-dev-*.deb && for file in *.deb; do dpkg-deb -x "$file" .. || exit 1; done; rm -rf "$1/debs"'
}

# What the packages' scripts would have done, as far as it is missed; how archives are reached is nobody's business.
tree_finish() {
	local root=$1

	rm -rf "$root/etc/apt" "$root"/var/cache/apt "$root"/var/lib/apt
	cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
	cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
	echo 'postgres:x:101:103::/var/lib/postgresql:/bin/sh' >>"$root/etc/passwd"
	echo 'postgres:x:103:' >>"$root/etc/group"
	install -m 600 /dev/null "$root/etc/shadow"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"
	mkdir -p "$root/etc/ssl/certs"
	cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
	ln -sf mawk "$root/usr/bin/awk"
	ln -sf gcc "$root/usr/bin/cc"
	mkdir -p "$root"/{work,corpus,proc,dev,run,tmp}
	chroot "$root" gcc --version
}
