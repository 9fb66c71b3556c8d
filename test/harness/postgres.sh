# Choose a PostgreSQL, and install missing packages.  Sourced by test/run.
#
# PG_CONFIG=/path/to/pg_config or PGVERSION=NN chooses the server.  Without
# them it is the first of these that exists: the pg_config of the PATH if its
# installation is complete, the newest complete one of Debian, the newest
# server that is installed, the newest one that apt offers.

oldest_major=15
newest_major=18

# The major version of a pg_config, if it belongs to a server that can build
# and run the extension.
complete_major()
{
	local pg_config=$1 major

	major=$("$pg_config" --version 2>/dev/null |
		sed -n 's/^PostgreSQL \([0-9][0-9]*\).*/\1/p')
	[ -n "$major" ] &&
		[ "$major" -ge $oldest_major ] && [ "$major" -le $newest_major ] &&
		[ -f "$("$pg_config" --pgxs)" ] &&
		[ -f "$("$pg_config" --includedir-server)/postgres.h" ] &&
		[ -x "$("$pg_config" --bindir)/initdb" ] &&
		printf '%s\n' "$major"
}

debian_config()
{
	printf '/usr/lib/postgresql/%s/bin/pg_config\n' "$1"
}

majors_downward()
{
	local major

	for ((major = newest_major; major >= oldest_major; major--))
	do
		printf '%s\n' "$major"
	done
}

# Does the package manager know a server of this major to build against?
apt_offers()
{
	apt-cache policy "postgresql-$1" "postgresql-server-dev-$1" 2>/dev/null |
		grep -c '^  Candidate: [0-9]' | grep -qx 2
}

# Set PG_CONFIG; it may name a program that is not installed yet.
choose_postgres()
{
	local major

	if [ -n "${PG_CONFIG:-}" ]
	then
		PG_CONFIG=$(type -P "$PG_CONFIG" || printf '%s' "$PG_CONFIG")
		case $PG_CONFIG in /*) ;; *) PG_CONFIG=$PWD/$PG_CONFIG;; esac
		return
	fi
	if [ -n "${PGVERSION:-}" ]
	then
		PG_CONFIG=$(debian_config "$PGVERSION")
		return
	fi
	if complete_major pg_config >/dev/null
	then
		PG_CONFIG=$(command -v pg_config)
		return
	fi
	for major in $(majors_downward)
	do
		PG_CONFIG=$(debian_config "$major")
		complete_major "$PG_CONFIG" >/dev/null && return
	done
	for major in $(majors_downward)
	do
		PG_CONFIG=$(debian_config "$major")
		[ -x "${PG_CONFIG%/*}/postgres" ] && apt_offers "$major" && return
	done
	for major in $(majors_downward)
	do
		PG_CONFIG=$(debian_config "$major")
		apt_offers "$major" && return
	done
	PG_CONFIG=
}

# The missing packages of the chosen server for a command, one per line.
missing_packages()
{
	local major=${PG_CONFIG#/usr/lib/postgresql/} compiler

	major=${major%%/*}
	case $major in
		''|*[!0-9]*)
			major=$("$PG_CONFIG" --version 2>/dev/null |
				sed -n 's/^PostgreSQL \([0-9][0-9]*\).*/\1/p');;
	esac
	compiler=$("$PG_CONFIG" --cc 2>/dev/null)
	compiler=${compiler%% *}
	command -v "${compiler:-gcc}" >/dev/null || printf 'gcc\nlibc6-dev\n'
	if ! complete_major "$PG_CONFIG" >/dev/null
	then
		[ -x "${PG_CONFIG%/*}/initdb" ] ||
			[ -x "$("$PG_CONFIG" --bindir 2>/dev/null)/initdb" ] ||
			printf 'postgresql-%s\n' "$major"
		[ -f "$("$PG_CONFIG" --includedir-server 2>/dev/null)/postgres.h" ] ||
			printf 'postgresql-server-dev-%s\n' "$major"
	fi
	command -v setpriv >/dev/null || printf 'util-linux\n'
	case $1 in test|mutate) ;; *) return 0;; esac
	[ -f "$("$PG_CONFIG" --sharedir 2>/dev/null)/extension/pgtap.control" ] ||
		printf '%s\n' "postgresql-$major-pgtap"
	command -v pg_prove >/dev/null ||
		printf 'libtap-parser-sourcehandler-pgtap-perl\n'
	command -v prove >/dev/null || printf 'perl\n'
	command -v nm >/dev/null || printf 'binutils\n'
	perl -MIPC::Run -e 1 2>/dev/null || printf 'libipc-run-perl\n'
}

as_root()
{
	if [ "$(id -u)" = 0 ]
	then
		"$@"
	elif command -v sudo >/dev/null
	then
		sudo "$@"
	else
		return 1
	fi
}

# Show what a command prints only when it fails.
quietly()
{
	local output

	output=$("$@" 2>&1) && return
	printf '%s\n' "$output" >&2
	return 1
}

# Old package lists may be sufficient, so a failed update is no error.
update_packages()
{
	quietly as_root apt-get update -q ||
		printf 'returns: apt-get update failed; continuing\n' >&2
}

# Find the packages that a command needs, or install them.
find_postgres()
{
	local missing

	choose_postgres
	if [ -z "$PG_CONFIG" ] && command -v apt-get >/dev/null
	then
		printf 'Asking apt for PostgreSQL ...\n'
		update_packages
		choose_postgres
	fi
	if [ -z "$PG_CONFIG" ]
	then
		die "no PostgreSQL $oldest_major to $newest_major with its headers was found" \
			'Set PG_CONFIG to the pg_config of one, or add a package source that has it' \
			'(for Debian and Ubuntu: https://wiki.postgresql.org/wiki/Apt).'
	fi
	case $PG_CONFIG in
		/usr/lib/postgresql/*) ;;
		*) [ -x "$PG_CONFIG" ] || die "there is no $PG_CONFIG";;
	esac
	missing=$(missing_packages "$1")
	[ -z "$missing" ] || install_missing $missing
	missing=$(missing_packages "$1")
	if [ -n "$missing" ]
	then
		die "still missing: $(echo $missing)"
	fi
	complete_major "$PG_CONFIG" >/dev/null ||
		die "$PG_CONFIG does not belong to PostgreSQL $oldest_major to $newest_major"
	export PG_CONFIG
}

install_missing()
{
	command -v apt-get >/dev/null ||
		die "missing for $PG_CONFIG, by the names of Debian's packages: $*"
	printf 'Installing %s (this may take some minutes) ...\n' "$*"
	update_packages
	quietly as_root "$here/harness/install_packages.sh" "$@" ||
		die 'could not install the packages; run as root:' "apt-get install $*"
}

# The user that runs the server if the caller is root.
server_user()
{
	if id postgres >/dev/null 2>&1
	then
		echo postgres
	else
		echo nobody
	fi
}

# The folders of the chosen server.
describe_postgres()
{
	system_bin=$("$PG_CONFIG" --bindir)
	system_lib=$("$PG_CONFIG" --pkglibdir)
	system_share=$("$PG_CONFIG" --sharedir)
	pgxs_src=$(dirname "$("$PG_CONFIG" --pgxs)")/..
}
