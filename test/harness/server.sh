# Building into a private copy of PostgreSQL, and servers that run from it.
# Sourced by test/run; it works below $stage as an ordinary user.

# PostgreSQL finds its libraries and its share folder from the place of its
# programs.  So a copy of the programs, with links to the rest, is a full
# installation to which an extension can be added without changing the
# installation of the system.  Its root is $stage/NAME.
private_postgres()
{
	local root=$stage/$1 program entry

	mkdir -p "$root$system_bin" "$root$system_lib" "$root$system_share/extension"
	for program in postgres psql initdb pgbench createdb dropdb createuser \
		dropuser clusterdb reindexdb vacuumdb "$system_bin"/pg_*
	do
		program=${program##*/}
		[ ! -f "$system_bin/$program" ] ||
			cp -L "$system_bin/$program" "$root$system_bin/"
	done
	for entry in "$system_lib"/* "$system_share"/* "$system_share"/extension/*
	do
		case ${entry##*/} in
			extension|bitcode|returns*) ;;
			*) ln -s "$entry" "$root$entry";;
		esac
	done
}

# build NAME [FLAGS]: compile the tree in $stage/NAME.build with extra compiler
# flags and install it into the private PostgreSQL NAME.
build()
{
	local name=$1 flags=${2:-} log=$stage/$1.log

	private_postgres "$name"
	cp -R "$stage/tree" "$stage/$name.build"
	if ! run_apart make -s -C "$stage/$name.build" -j2 PG_CONFIG="$PG_CONFIG" \
		with_llvm=no WERROR="${WERROR:-0}" COPT="$flags" DESTDIR="$stage/$name" \
		install > "$log" 2>&1
	then
		cat "$log"
		die "the build failed ($name)"
	fi
}

# start_server NAME INSTALLATION: initialise and start a server in $stage/NAME.data
# and point the environment (PGHOST, PGPORT, PATH) at it.
start_server()
{
	local data=$stage/$1.data bin=$stage/$2$system_bin

	export PATH=$bin:$PATH PGDATA=$data
	export PGHOST=$stage/$1.socket PGPORT=5432 PGDATABASE=postgres
	mkdir "$PGHOST"
	run_apart initdb -D "$data" -U postgres -A trust -E UTF8 --no-locale -N \
		> "$stage/$1.initdb" 2>&1 || { cat "$stage/$1.initdb"; die 'initdb failed'; }
	cat >> "$data/postgresql.conf" <<-EOF
		listen_addresses = ''
		unix_socket_directories = '$PGHOST'
		port = $PGPORT
		fsync = off
		jit = off
		max_connections = 50
		max_prepared_transactions = 10
		log_line_prefix = '%m [%p] %d '
		timezone = 'UTC'
	EOF
	run_apart pg_ctl -D "$data" -l "$stage/$1.server" -s -w start ||
		{ cat "$stage/$1.server"; die 'the server did not start'; }
}

stop_all_servers()
{
	local pidfile data

	find "$stage" -name postmaster.pid 2>/dev/null | while read -r pidfile
	do
		data=$(dirname "$pidfile")
		"$system_bin/pg_ctl" -D "$data" -s -m immediate -w stop >/dev/null 2>&1
	done
}

# create_database NAME: create one with the extension and the preset kz.
create_database()
{
	psql -X -q -v ON_ERROR_STOP=1 -d postgres -c "CREATE DATABASE $1" &&
		psql -X -q -v ON_ERROR_STOP=1 -d "$1" -c 'CREATE EXTENSION returns' \
			-c "CALL returns.setup('kz')" ||
		die 'the extension could not be set up'
}
