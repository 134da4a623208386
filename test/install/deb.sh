# ./dev deb: the Debian packages, made, looked through, installed and tested.
# shellcheck shell=bash

# For the PostgreSQL versions that Debian has here, or those of PG_SUPPORTED_VERSIONS.
deb() {
	local out=$PWD/build/deb source=$scratch/deb/rdsinit

	[ "$(id -u)" = 0 ] || die "only root can install packages, if only into a throw-away tree"
	mkdir -p "$source"
	sources | tar -c --null --no-recursion -T - | tar -x -C "$source"
	say "building the packages"
	# The tests that a build runs are run on the installed packages, further down.
	(
		cd "$source"
		pg_buildext updatecontrol
		DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" DEB_BUILD_PROFILES=nocheck \
			timeout 10m dpkg-buildpackage -us -uc
	) >"$scratch/deb/log" 2>&1 || { tail -n 40 "$scratch/deb/log" >&2; die "dpkg-buildpackage failed"; }
	say "looking through them"
	lintian --allow-root --fail-on error,warning --pedantic "$scratch"/deb/*.changes
	if can_make_throw_away_tree; then
		test_packages
	else
		warn "skipped: the packages are not installed and tested, since no tree can be mounted over this machine here"
	fi
	rm -rf "$out"
	mkdir -p "$out"
	cp "$scratch"/deb/rdsinit_* "$scratch"/deb/*.deb "$out"
	printf '%s\n' "${out#"$PWD"/}"/*.deb
}

test_packages() {
	say "installing and testing them in a throw-away tree"
	unshare --mount --pid --fork bash -euc "$(declare -f in_throw_away_tree); in_throw_away_tree \"\$@\"" \
		bash "$scratch/deb" >"$scratch/deb/log" 2>&1 ||
		{ tail -n 100 "$scratch/deb/log" >&2; die "autopkgtest failed"; }
	sed -n '/@@@ summary/,$ { /PASS/p }' "$scratch/deb/log"
}

# Not in a chroot whose / is no mount, nor where a container's own / is an overlay that takes no other.
can_make_throw_away_tree() {
	unshare --mount --pid --fork sh -ec '
		mount -t tmpfs tmpfs /mnt
		mkdir /mnt/upper /mnt/work /mnt/root
		mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root' 2>/dev/null
}

# The files of the checkout as they are, without what was built.
sources() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard --deduplicate |
			xargs -0 sh -c 'for file; do [ ! -e "$file" ] || printf "%s\0" "$file"; done' sh
	else
		find . \( -path ./build -o -name '*.o' -o -name '*.so' \) -prune -o -type f -print0
	fi
}

# This machine with a tree before it that takes all that is written; it goes with the namespace.
in_throw_away_tree() {
	local tree=$1/tree

	mkdir "$tree"
	mount -t tmpfs tmpfs "$tree"
	mkdir "$tree/upper" "$tree/work" "$tree/root"
	mount -t overlay overlay -o "lowerdir=/,upperdir=$tree/upper,workdir=$tree/work" "$tree/root"
	mount --rbind /dev "$tree/root/dev"
	mount -t proc proc "$tree/root/proc"
	mount --bind "$1" "$tree/root/mnt"
	# The mounts end with this process, which is the namespace's first.
	chroot "$tree/root" sh -c 'cd /mnt && exec timeout 10m autopkgtest ./*.changes -- null'
}
