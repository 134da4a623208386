# Debian's packages without installing them: an apt of our own, below $apt.
#
# It reads the machine's own list of archives, and asks them for sources and for
# every architecture that is packaged, whatever the machine itself has enabled.
# Nothing of the machine's changes, and no right of root's is needed.
# shellcheck shell=bash

apt_start() {
	apt=$1
	[ -s "$apt/ready" ] && [ "$(find "$apt/ready" -mmin -60)" ] && return
	rm -rf "$apt"
	mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/status"
	apt_archives
	cat >"$apt/conf" <<-CONF
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		APT::Architectures "amd64,arm64";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$apt/sources";
		Dir::State::lists "$apt/lists";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
	CONF
	say "asking Debian's archives"
	apt_quietly apt-get update
	date -u >"$apt/ready"
}

# The archives that packages are installed from, each with its sources.
apt_archives() {
	local file

	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$file" ] || continue
		sed -n -E 's/^deb([[:space:]].*)/deb\1\ndeb-src\1/p' "$file" |
			sed -E 's/(\[|[[:space:]])arch=[^] ]*/\1/' >>"$apt/sources/machine.list"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -f "$file" ] || continue
		grep -v -E '^(#|Architectures:)' "$file" | awk -v RS= -v ORS='\n\n' '
			!/(^|\n)Enabled:[ \t]*(no|false)/ && /(^|\n)Types:([^\n]*[ \t])?deb([ \t]|\n|$)/ {
				sub(/Types:[^\n]*/, "Types: deb deb-src"); print }' >>"$apt/sources/machine.sources"
	done
	cat "$apt"/sources/* 2>/dev/null | grep -q '[^[:space:]]' ||
		die "apt has no archives: neither /etc/apt/sources.list nor /etc/apt/sources.list.d names one"
}

# Runs a command with that apt.  Its output is shown where it fails.
apt_quietly() {
	APT_CONFIG=$apt/conf "$@" >"$apt/log" 2>&1 || { cat "$apt/log" >&2; die "$1 failed: see above"; }
}

# The version of a package that would be installed.
apt_version() {
	APT_CONFIG=$apt/conf apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1
}

# The source package of a package, as NAME VERSION: the newest, and then the older ones that the archives list.
apt_sources_of() {
	local name version

	read -r name version < <(APT_CONFIG=$apt/conf apt-cache show --no-all-versions "$1" 2>/dev/null | awk '
		/^Package:/ { name = $2 } /^Version:/ { version = $2 }
		/^Source:/ { name = $2; if (NF > 2) { given = $3; gsub(/[()]/, "", given) } }
		END { if (name != "") print name, (given != "" ? given : version) }') ||
		die "the archives that apt knows have no package $1"
	echo "$name $version"
	APT_CONFIG=$apt/conf apt-cache showsrc --only-source "$name" 2>/dev/null | sed -n 's/^Version: //p' | sort -u |
		while read -r other; do
			if dpkg --compare-versions "$other" lt "$version"; then echo "$name $other"; fi
		done | sort -rV
}

# Downloads packages (NAME:ARCHITECTURE) and unpacks them below a directory.
apt_unpack() {
	local into=$1 package file
	shift

	mkdir -p "$into/debs" "$into/root"
	for package in "$@"; do
		(cd "$into/debs" && apt_quietly apt-get download "$package")
	done
	for file in "$into"/debs/*.deb; do
		dpkg-deb -x "$file" "$into/root"
	done
}

# Downloads the source of a package, and unpacks it, with Debian's patches, as the directory given.
# For some hours after a security update, archives can list a source that they do not have yet.
apt_unpack_source() {
	local package=$1 into=$2 sources name version wanted=

	sources=$(apt_sources_of "$package")
	mkdir -p "$into.source"
	while read -r name version; do
		wanted=${wanted:-$version}
		if (cd "$into.source" && APT_CONFIG=$apt/conf apt-get source --download-only --only-source \
			"$name=$version" >"$apt/log" 2>&1); then
			[ "$version" = "$wanted" ] ||
				warn "the archive does not have the source of $name $wanted: $version is packaged instead"
			apt_quietly dpkg-source --no-copy -x "$into.source"/*.dsc "$into"
			return
		fi
	done <<<"$sources"
	cat "$apt/log" >&2
	die "the source of $package could not be downloaded: see above"
}
