# ./dev test-all: the tests that depend on PostgreSQL's version, on each version, in a tree of its own.
# shellcheck shell=bash
# shellcheck source=test/trees/trees.sh
. test/trees/trees.sh

# All files of tests but those that no server's version can change: the trigger's conversation
# with AWS and the network, the package, the stack, the stand-ins, the documents, the plan's page
# in a browser.
version_tests() {
	printf '%s\n' test/test_*.py |
		grep -v -E '/test_(package|stack|fleet|cdk|standin|plan_html|documents|readme|man|pgxn|citus|examples|security_document|trigger_fuzz)' |
		grep -v -E '_trigger_(plain_turns|canary|config|connection|custom_resource|cuts|endpoint|event|iam|main|metrics|moto|rotation|runtime|secret|targets|tls|warm)'
}

# Of them those with most of the server in them, in some minutes.
short_version_tests() {
	printf 'test/test_%s.py\n' apply_file deploy drift extension locks migrations plan security_history security_names \
		security_rights security_trusted splitter timeouts trigger_deploy trigger_plain trigger_plain_guard trigger_plan upgrade
}

# What is run in a tree; or beside any PostgreSQL that PG_MAJOR names.
test_version() {
	local tests which=version_tests

	if [ "${1:-}" = --short ]; then
		which=short_version_tests
		shift
	fi
	build
	installcheck
	mapfile -t tests < <("$which")
	run_pytest_twice -q "$@" "${tests[@]}"
}

# Each tree at the same time as the others.  A tree that cannot be had is passed over, unless RDSINIT_ALL_STRICT is set.
test_all() {
	local majors major pid pids=() failed=0 short=()

	if [ "${1:-}" = --short ]; then
		short=(--short)
		shift
	fi
	majors=("$@")

	[ "$(id -u)" = 0 ] || { skip_all "only root can make trees, and namespaces to run them in"; return; }
	require trees
	[ ${#majors[@]} -gt 0 ] || mapfile -t majors < <(tree_table | cut -d ' ' -f 1)
	if ! "${namespaces[@]}" true 2>"$scratch/unshare.log"; then
		skip_all "namespaces cannot be made here: $(cat "$scratch/unshare.log")"
		return
	fi
	make_trees "${majors[@]}"
	mkdir -p build/test-all
	# Each fault in fewer rounds than in ./dev test: there are as many again on each version.
	export RDSINIT_TEST_WORKERS RDSINIT_TEST_FAULTS=${RDSINIT_TEST_FAULTS:-3}
	RDSINIT_TEST_WORKERS=$(workers_of "${#majors[@]}")
	for major in "${majors[@]}"; do
		test_in_tree "$major" "${short[@]}" &
		pids+=($!)
	done
	trap 'kill "${pids[@]}"; exit 130' INT TERM
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	[ ! -e "$scratch/skipped" ] || skip_all "$(cat "$scratch/skipped")"
	say "PostgreSQL 16 is in no release of Debian's: not tested"
	return "$failed"
}

# How many workers each of so many versions has beside the others: two for each processor, as tests often wait.
workers_of() {
	local most=$(($(nproc) + 1)) share=$((2 * $(nproc) / $1))

	[ "$share" -ge 2 ] || share=2
	echo "$((share < most ? share : most))"
}

skip_all() {
	[ -z "${RDSINIT_ALL_STRICT:-}" ] || die "$*"
	warn "skipped: $*"
}

# One version, with its log in build/test-all; what it came to is said, and all of the log where it failed.
test_in_tree() {
	local major=$1 log=build/test-all/$1.log began=$SECONDS
	shift

	if [ -e "$scratch/$major.skipped" ]; then
		cat "$scratch/$major.skipped" >>"$scratch/skipped"
		return
	fi
	if in_tree "$major" ./dev test-version "$@" >"$log" 2>&1; then
		say "PostgreSQL $major: $(grep -E '^[0-9]+ passed' "$log" | tail -n 1), $((SECONDS - began)) s with the build and installcheck"
	else
		{ echo "==> PostgreSQL $major failed:"; cat "$log"; } >&2
		return 1
	fi
}

# In a chroot, where / is nobody's mount, unshare cannot make that private: in_tree does it for what it mounts.
namespaces=(unshare --mount --propagation unchanged --net --pid --ipc --fork --kill-child)

# Runs a command in a tree, in a copy of the sources, in namespaces of its own: nothing but loopback is on its network.
# All of it ends with the shell that called it.  Its Python was only unpacked, not compiled, and compiles once.
in_tree() {
	local major=$1 work=$scratch/$1 code=0
	shift

	mkdir -p "$work"/{root,work,tmp}
	chmod 755 "$scratch" "$work" "$work/work"
	chmod 1777 "$work/tmp"
	tar -c --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.so' --exclude='*.d' . | tar -x -C "$work/work"
	# shellcheck disable=SC2016
	RDSINIT_TREE=$(trees)/$major RDSINIT_WORK=$work setpriv --pdeathsig KILL "${namespaces[@]}" sh -ec '
		root=$RDSINIT_WORK/root
		mount --make-rprivate / 2>/dev/null || true
		mount --bind "$RDSINIT_TREE" "$root"
		mount --make-private "$root"
		mount -o remount,bind,ro "$root"
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		mount --make-private "$root/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		mount -t tmpfs tmpfs "$root/run"
		mount --bind "$RDSINIT_WORK/work" "$root/work"
		mount --bind "$RDSINIT_WORK/tmp" "$root/tmp"
		[ -z "${RDSINIT_CORPUS:-}" ] || mount --bind "$RDSINIT_CORPUS" "$root/corpus"
		ip link set lo up
		chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 PYTHONPYCACHEPREFIX=/tmp/pycache RDSINIT_INSTALLED=1 \
			PG_MAJOR='"$major"' ${RDSINIT_TEST_WORKERS:+RDSINIT_TEST_WORKERS=$RDSINIT_TEST_WORKERS} \
			${RDSINIT_TEST_FAULTS:+RDSINIT_TEST_FAULTS=$RDSINIT_TEST_FAULTS} ${RDSINIT_CORPUS:+RDSINIT_CORPUS=/corpus} sh -c "cd /work && exec \"\$@\"" sh "$@"' sh "$@" || code=$?
	# That one mount is seen here as well, where / was shared.
	umount "$work/root" 2>/dev/null || true
	return "$code"
}
