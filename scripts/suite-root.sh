# shellcheck shell=sh
# Unpack packages of any Debian suite below the cache folder, beside the host's own packages.
#
# Sourced by scripts/interpreters and scripts/debuggers. The host's apt does the work with its own
# state moved into the cache folder, so the host's package lists and installed packages stay as
# they are. No maintainer script runs: a package is only unpacked.
#
#   $cache/apt/SUITE/    lists, sources and configuration of a suite
#   $cache/roots/NAME/   an unpacked root; .packages in it lists "package<TAB>version"
#
# Functions return 0, or $EX_REGISTRY when the registry does not answer; they tell why on stderr.
# They rely on "set -e": call them as plain commands.

# shellcheck disable=SC2034 # for the scripts that source this file
EX_REGISTRY=69 # EX_UNAVAILABLE of sysexits.h
cache=${PYMEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pymem}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
	say "$@"
	exit 1
}

# What apt gave as the reason, from its output in FILE.
apt_reason() { grep -m 1 '^[EW]:' "$1" || tail -n 1 "$1"; }

# One fetch at a time: a second one waits for the first.
lock_cache() {
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9
}

# each_keeping_on "LIST" COMMAND...: run "COMMAND... WORD" for every word, the others too when one
# fails; the status of the last that failed.
each_keeping_on() {
	_words=$1
	_status=0
	shift
	for _word in $_words; do
		set +e # a plain subshell keeps "set -e" inside, which "||" would not
		(
			set -e
			"$@" "$_word"
		)
		_result=$?
		set -e
		[ $_result = 0 ] || _status=$_result
	done
	return $_status
}

# The Debian mirror that this host uses.
debian_mirror() {
	if [ -n "${DEBIAN_MIRROR:-}" ]; then
		echo "$DEBIAN_MIRROR"
		return
	fi
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
		grep -m 1 '/debian/*$' ||
		echo 'no Debian mirror among the sources of apt: set DEBIAN_MIRROR' >&2
}

# apt with the state of SUITE: suite_apt SUITE apt-get ARGUMENT...
suite_apt() {
	_suite=$1
	_tool=$2
	shift 2
	"$_tool" -c "$cache/apt/$_suite/apt.conf" -q=2 "$@"
}

# Write the configuration of SUITE and get its package lists, unless that was done within the day.
suite_update() {
	_dir=$cache/apt/$1
	if [ -n "$(find "$_dir/updated" -mmin -1440 2>/dev/null)" ]; then
		return 0
	fi
	command -v apt-get >/dev/null || {
		say "no apt-get here: nothing fetched from $1"
		return $EX_REGISTRY
	}
	mkdir -p "$_dir/lists/partial" "$_dir/parts"
	: >"$_dir/status"
	_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	_signed=
	[ ! -r "$_keyring" ] || _signed="signed-by=$_keyring"
	echo "deb [target=Packages $_signed] $(debian_mirror) $1 main" >"$_dir/sources.list"
	# The host's hooks tend the host's state: they must not run for a private one.
	cat >"$_dir/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
APT::Update::Error-Mode "any";
Acquire::Retries "2";
Dir::State "$_dir";
Dir::State::lists "$_dir/lists";
Dir::State::status "$_dir/status";
Dir::Cache "$_dir";
Dir::Etc::sourcelist "$_dir/sources.list";
Dir::Etc::sourceparts "$_dir/parts";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$_dir/parts";
Dir::Log "$_dir";
CONF
	suite_apt "$1" apt-get update >"$_dir/log" 2>&1 || {
		say "the package registry does not answer for $1 ($(apt_reason "$_dir/log"))"
		return $EX_REGISTRY
	}
	touch "$_dir/updated"
}

# The version of PACKAGE in SUITE; nothing if it has none.
suite_version() {
	suite_apt "$1" apt-cache madison "$2" | awk '{ print $3; exit }'
}

# Unpack a package file below ROOT, without what only people read.
unpack_deb() {
	dpkg-deb --fsys-tarfile "$1" >"$2/.tar"
	tar -x --keep-directory-symlink --no-same-owner -C "$2" -f "$2/.tar" \
		--exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale \
		--exclude=./usr/share/info --exclude=./usr/share/lintian --exclude=./usr/share/bug
	rm -f "$2/.tar"
}

# The frame of a root: merged-/usr links, a world-writable /tmp and the devices that programs need.
# Without the right to make devices the root still serves programs that open none.
make_skeleton() {
	mkdir -p "$1/usr/bin" "$1/usr/sbin" "$1/usr/lib" "$1/usr/lib64" "$1/dev" "$1/proc" \
		"$1/etc" "$1/root" "$1/tmp"
	chmod 1777 "$1/tmp"
	for _link in bin sbin lib lib64; do
		ln -s "usr/$_link" "$1/$_link"
	done
	while read -r _node _minor; do
		mknod -m 666 "$1/dev/$_node" c 1 "$_minor" 2>/dev/null || true
	done <<-NODES
		null 3
		zero 5
		full 7
		random 8
		urandom 9
	NODES
	echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
}

# make_root NAME SUITE PACKAGE...: download the packages of SUITE with all they depend on, and
# unpack them as $cache/roots/NAME, all or nothing. A download that was cut short goes on.
make_root() {
	_root=$cache/roots/$1
	_suite=$2
	_archives=$cache/apt/$2/$1
	shift 2
	mkdir -p "$_archives/partial"
	suite_apt "$_suite" apt-get -o "Dir::Cache::archives=$_archives" autoclean
	suite_apt "$_suite" apt-get -o "Dir::Cache::archives=$_archives" --download-only install "$@" \
		>"$_archives/log" 2>&1 || {
		say "cannot download $* of $_suite ($(apt_reason "$_archives/log"))"
		return $EX_REGISTRY
	}
	mkdir -p "$cache/roots"
	_new=$(mktemp -d "$cache/roots/.new.XXXXXX")
	trap 'rm -rf "$_new"' EXIT
	chmod 755 "$_new"
	make_skeleton "$_new"
	for _deb in "$_archives"/*.deb; do
		unpack_deb "$_deb" "$_new"
		# shellcheck disable=SC2016 # dpkg-deb expands it
		dpkg-deb -W --showformat='${Package}\t${Version}\n' "$_deb" >>"$_new/.packages"
	done
	rm -rf "$_root"
	mv "$_new" "$_root"
	trap - EXIT
	rm -rf "$_archives"
}

# The version of PACKAGE that ROOT holds.
root_version() {
	awk -F '\t' -v package="$2" '$1 == package { print $2; exit }' "$1/.packages"
}

# The opening comment of the script that was started.
usage() { sed -n '2,/^set -eu/{/^set/d;s/^# \{0,1\}//;p}' "$0"; }
