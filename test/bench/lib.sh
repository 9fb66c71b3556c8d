# Functions that all parts share: databases, meters, medians, tables.  Sourced
# by run.

die()
{
	printf 'bench: %s\n' "$1" >&2
	exit 1
}

# pick FULL QUICK: the value for this run.
pick()
{
	if [ "$quick" = 1 ]; then echo "$2"; else echo "$1"; fi
}

# query DATABASE PSQL-ARGUMENTS...
query()
{
	psql -qXAt -v ON_ERROR_STOP=1 -d "$@"
}

prepare_server()
{
	query postgres <<-EOF
		ALTER SYSTEM SET shared_buffers = '1GB';
		ALTER SYSTEM SET max_wal_size = '16GB';
		ALTER SYSTEM SET checkpoint_timeout = '1h';
		ALTER SYSTEM SET autovacuum = off;
		ALTER SYSTEM SET jit = off;
		ALTER SYSTEM SET synchronous_commit = off;
		ALTER SYSTEM SET max_parallel_workers_per_gather = 0;
	EOF
	pg_ctl -D "$PGDATA" -s -m fast -w -l "$work/server" restart || die 'the server did not restart'
	[ -r /proc/self/schedstat ] || die 'there is no /proc/self/schedstat: the benchmarks need Linux'
	printf 'PostgreSQL %s, %s processors\n' "$(query postgres -c 'SHOW server_version')" "$(nproc)"
}

# template NAME FILE... [-v VARIABLE=VALUE...]: create a database to copy from,
# once.
template()
{
	local name=$1
	shift
	[ -z "$(query postgres -c "SELECT 1 FROM pg_database WHERE datname = '$name'")" ] || return 0
	query postgres -c "CREATE DATABASE $name" 2>/dev/null
	query "$name" -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION returns' \
		-c "CALL returns.setup('kz')"
	query "$name" "$@" >/dev/null
}

# copy NAME: create the database bench_run as a copy of NAME, in memory and
# without dirty pages.
copy()
{
	query postgres -c 'SET client_min_messages = warning' \
		-c 'DROP DATABASE IF EXISTS bench_run WITH (FORCE)' \
		-c "CREATE DATABASE bench_run TEMPLATE $1 STRATEGY FILE_COPY" -c CHECKPOINT
	query bench_run -c "SELECT sum(pg_prewarm(c.oid)) FROM pg_class c
		WHERE relnamespace IN ('returns'::regnamespace, 'bench'::regnamespace)
			AND relkind IN ('r', 'i')" >/dev/null
}

drop_databases()
{
	local name

	for name in $(query postgres -c "SELECT datname FROM pg_database WHERE datname LIKE 'bench\_%'")
	do
		query postgres -c "DROP DATABASE $name WITH (FORCE)"
	done
}

# measure VARIANT ROWS [BEFORE]: run the statements from standard input in one
# session of bench_run and note their nanoseconds per row, on the processor and
# by the clock, for the variant.  BEFORE is run there first and not measured.
measure()
{
	local variant=$1 rows=$2
	{
		cat "$sql/session.sql"
		printf '%s\n' "${3:-}"
		echo 'SELECT cpu AS cpu_before, wall AS wall_before FROM meter \gset'
		cat
		echo 'SELECT cpu - :cpu_before, wall - :wall_before FROM meter;'
	} | query bench_run -v n="$rows" | tail -1 |
		awk -F'|' -v n="$rows" '{print $1 / n, $2 / n}' >> "$work/$variant"
}

# Ticks (1/100 s) on the processor of all backends that have ended.
ended_ticks()
{
	awk '{print $16 + $17}' "/proc/$(head -1 "$PGDATA/postmaster.pid")/stat"
}

# pgbench_ticks ARGUMENTS...: run pgbench on bench_run as an operator.  Leaves
# its report in $work/pgbench and the time of its backends in $ticks.
pgbench_ticks()
{
	local before

	before=$(ended_ticks)
	PGOPTIONS='-c returns.actor=operator:bench' pgbench -n -M prepared "$@" bench_run \
		> "$work/pgbench" 2>&1 || { cat "$work/pgbench" >&2; die 'pgbench failed'; }
	until [ -z "$(query postgres -c "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pgbench'")" ]
	do
		sleep 0.1
	done
	ticks=$(($(ended_ticks) - before))
}

# median VARIANT COLUMN: the median of the notes.
median()
{
	awk -v c="$2" '{print $c}' "$work/$1" | sort -g |
		awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

# microseconds VARIANT [COLUMN]: per row, on the processor (1) or by the clock (2).
microseconds()
{
	ratio "$(median "$1" "${2:-1}")" 1000
}

# The number of returns in the database bench_returns, which most parts use.
returns_rows()
{
	pick 200000 20000
}

returns_template()
{
	template bench_returns -v n="$(returns_rows)" -f "$sql/load.sql" -f "$sql/bare.sql" \
		-f "$sql/twin.sql" -f "$sql/settle.sql"
}

# Hold a snapshot open in bench_run, as a report or a dump does, until it is
# released.
hold_snapshot()
{
	query bench_run >/dev/null 2>&1 <<-EOF &
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT count(*) FROM returns.market;
		SELECT pg_sleep(86400);
	EOF
	until [ -n "$(holder)" ]
	do
		sleep 0.1
	done
}

holder()
{
	query postgres -c "SELECT pid FROM pg_stat_activity
		WHERE datname = 'bench_run' AND query LIKE 'SELECT pg_sleep%'"
}

release_snapshot()
{
	query postgres -c "SELECT pg_terminate_backend($(holder), 10000)" >/dev/null
	wait
}

title()
{
	printf '\n%s\n' "$*"
}

# figure LABEL VALUE [UNIT [MORE]]
figure()
{
	LC_ALL=C awk -v l="$1" -v v="$2" -v u="${3:-}" -v m="${4:-}" \
		'BEGIN {printf "  %-76s %10.*f %s%s\n", l, u == "" ? 0 : 2, v, u, m == "" ? "" : "  (" m ")"}'
}

# judge LABEL VALUE 'at most'|'at least' BUDGET
judge()
{
	LC_ALL=C awk -v l="$1" -v v="$2" -v d="$3" -v b="$4" 'BEGIN {
		met = d == "at most" ? v <= b : v >= b
		printf "  %-76s %10.3f   %s %s: %s\n", l, v, d, b, met ? "PASS" : "MISS"}'
}

ratio()
{
	awk -v a="$1" -v b="$2" 'BEGIN {print b == 0 ? 0 : a / b}'
}
