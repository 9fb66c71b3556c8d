# The suites of tests and the count of their results.  Sourced by test/run;
# test/README.md describes the files of each suite.
#
# A unit is one run of one file; it is named SUITE/FILE.  Units of the SQL
# suites follow each other on one server, each in a database of its own.  The
# server tests, which start servers themselves, run beside them.

test_db=returns_test
template_db=returns_template

# make test: build twice, run all suites, print the counts.
test_suites()
{
	local lane failed=0 lanes=()

	patterns=("$@")
	results=$stage/results
	: > "$results"
	export WERROR=1
	printf 'Building for %s ...\n' "$("$PG_CONFIG" --version)"
	build plain
	build assert -DUSE_ASSERT_CHECKING

	lint_tree
	set -m
	for lane in lane_sql lane_server
	do
		$lane </dev/null &
		lanes+=($!)
	done
	set +m
	for lane in "${lanes[@]}"
	do
		wait "$lane" || failed=1
	done
	[ $failed = 0 ] || record harness/lanes 0 1
	sum_up
}

# record UNIT PASSED FAILED [LOG]: note the counts of a unit; if it failed,
# show its log in one piece, because the lanes share the output.
record()
{
	local report=$stage/report.$BASHPID

	printf '%s %d %d\n' "$1" "$2" "$3" >> "$results"
	if [ "$3" -gt 0 ]
	then
		printf 'FAILED  %s\n' "$1" > "$report"
		[ -z "${4:-}" ] || sed -e '/^ok /d' -e 's/^/    /' "$4" >> "$report"
	else
		printf 'ok      %-44s %5d\n' "$1" "$2" > "$report"
	fi
	cat "$report"
}

# Print the last line; fails when a test failed or none ran.  Units of the
# harness do not count as tests that ran, and neither does lint unless a
# pattern asked for it.
sum_up()
{
	printf '\n'
	awk -v asked=${#patterns[@]} '$3 > 0 { print "FAILED", $1 }
		$1 !~ /^harness/ && (asked || $1 !~ /^lint/) { ran += $2 + $3 }
		{ passed += $2; failed += $3 }
		END {
			if (!ran) print "No test ran."
			printf "%d passed, %d failed\n", passed, failed
			exit failed > 0 || !ran
		}' "$results"
}

wanted()
{
	local pattern

	[ ${#patterns[@]} -gt 0 ] || return 0
	for pattern in "${patterns[@]}"
	do
		case $1 in *$pattern*) return 0;; esac
	done
	return 1
}

# each SUITE FOLDER EXTENSION COMMAND: run COMMAND NAME FILE for every file.
each()
{
	local suite=$1 folder=$2 extension=$3 command=$4 file name

	for file in "$stage/tree/$folder"/*."$extension"
	do
		[ -f "$file" ] || continue
		name=$(basename "$file" ."$extension")
		wanted "$suite/$name" && "$command" "$name" "$file"
	done
	return 0
}

# The SQL suites, on a server whose library checks its assertions.
lane_sql()
{
	in_lane=1
	start_server main assert
	prepare_templates
	prepare_regress_folder
	lint_database
	each regress test/sql sql unit_regress
	each pgtap test/pgtap sql unit_pgtap
	each isolation test/specs spec unit_isolation
	check_server_log
}

# The server tests, with the library as users build it.
lane_server()
{
	in_lane=1
	server_environment plain
	each server test/t pl unit_server
}

# server_environment INSTALLATION: what PostgreSQL::Test::Cluster expects.
server_environment()
{
	export PATH=$stage/$1$system_bin:$PATH
	export PG_REGRESS=$pgxs_src/test/regress/pg_regress
	export PERL5LIB=$pgxs_src/test/perl:$stage/tree/test/t
	unset PGUSER
}

sql()
{
	psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# Create the template of the test databases, and the role `app`, which has
# exactly the rights of an application.
prepare_templates()
{
	sql -d postgres -c "CREATE ROLE app LOGIN" -c "CREATE DATABASE $template_db" &&
		sql -d "$template_db" -f "$stage/tree/test/harness/template.sql" ||
		die 'the template database could not be made'
}

# new_database FILE: the file's line "-- database: empty" asks for one without
# the extension.
new_database()
{
	local template=$template_db

	! grep -qx -e '-- database: empty' "$1" || template=template0
	sql -d postgres -c "CREATE DATABASE $test_db TEMPLATE $template"
}

# The invariants must hold in the database that a test leaves.  Adds violations
# to LOG.
verify_database()
{
	local log=$1 found

	found=$(sql -d "$test_db" -c "SELECT 1 FROM pg_extension WHERE extname = 'returns'") ||
		return 1
	[ -n "$found" ] || return 0
	found=$(sql -d "$test_db" -c 'SELECT * FROM returns.verify()' 2>&1) &&
		[ -z "$found" ] && return 0
	printf 'returns.verify() at the end:\n%s\n' "$found" >> "$log"
	return 1
}

# in_database UNIT FILE COMMAND...: run COMMAND in a fresh database, then ask
# verify().  COMMAND leaves its counts in $passed and $failed.
in_database()
{
	local unit=$1 file=$2 log=$stage/unit.log

	shift 2
	passed=0 failed=0
	: > "$log"
	if new_database "$file" > "$log" 2>&1
	then
		"$@" "$log"
		verify_database "$log" && passed=$((passed + 1)) || failed=$((failed + 1))
		sql -d postgres -c "DROP DATABASE $test_db WITH (FORCE)"
	else
		failed=1
	fi
	record "$unit" $passed $failed "$log"
}

# pg_regress looks for its input and output below one folder.
prepare_regress_folder()
{
	regress=$stage/regress
	mkdir "$regress"
	ln -s "$stage/tree/test/sql" "$stage/tree/test/specs" \
		"$stage/tree/expected" "$regress"
}

unit_regress()
{
	in_database "regress/$1" "$2" run_regress regress/pg_regress "$1"
}

unit_isolation()
{
	in_database "isolation/$1" "$2" run_regress isolation/pg_isolation_regress "$1"
}

run_regress()
{
	local log=$3

	if timeout "${RETURNS_TEST_TIMEOUT:-900}" "$pgxs_src/test/$1" --bindir="$(dirname "$(command -v psql)")" \
		--inputdir="$regress" --outputdir="$regress" --use-existing \
		--dbname="$test_db" ${PGUSER:+--user="$PGUSER"} "$2" > "$log" 2>&1
	then
		passed=1
	else
		failed=1
		[ ! -s "$regress/regression.diffs" ] ||
			cp "$regress/regression.diffs" "$log"
	fi
}

# A pgTAP file runs as superuser and, where it says so, as an application.
unit_pgtap()
{
	in_database "pgtap/$1" "$2" run_pgtap postgres 'public, tap' "$2"
	if grep -qx -e '-- as: app' "$2"
	then
		in_database "pgtap/$1:app" "$2" run_pgtap app tap "$2"
	fi
}

run_pgtap()
{
	PGOPTIONS="-c search_path=${2// /\\ }" run_tap "$4" \
		pg_prove -v -d "$test_db" -U "$1" "$3"
}

# A server test works in a folder of its own.
unit_server()
{
	local log=$stage/server_$1.log work=$stage/server/$1

	passed=0 failed=0
	mkdir -p "$work" && cd "$work" || return
	TESTDIR=$work TESTDATADIR=$work TESTLOGDIR=$work/log run_tap "$log" \
		prove -v "$2"
	if [ $failed -gt 0 ]
	then
		tail -n 30 tmp_check/log/* "$work"/log/* >> "$log" 2>/dev/null
	fi
	record "server/$1" $passed $failed "$log"
	[ $failed -gt 0 ] || rm -rf "$work"
}

# run_tap LOG COMMAND...: run a command that prints TAP and count its tests.
run_tap()
{
	local log=$1 status

	shift
	timeout "${RETURNS_TEST_TIMEOUT:-900}" "$@" > "$log" 2>&1
	status=$?
	passed=$(grep -c '^ok ' "$log")
	failed=$(grep -c '^not ok ' "$log")
	[ $status = 0 ] || [ "$failed" -gt 0 ] || failed=1
}

# A crash is a failure even if all tests passed.
check_server_log()
{
	local log=$stage/main.crash

	if grep -E 'PANIC|TRAP|terminated by signal' "$stage/main.server" > "$log"
	then
		record harness/server-log 0 1 "$log"
	else
		record harness/server-log 1 0
	fi
}

# make installcheck: regress and isolation on the running server that PGHOST,
# PGPORT and PGUSER name, where the extension has been installed.
installcheck()
{
	patterns=("$@")
	PG_CONFIG=${PG_CONFIG:-pg_config}
	describe_postgres
	export PATH=$system_bin:$PATH
	stage=$(mktemp -d) || exit 1
	results=$stage/results
	: > "$results"
	ln -s "$top" "$stage/tree"
	if [ -n "$(sql -d postgres -c "SELECT 1 FROM pg_database
			WHERE datname IN ('$test_db', '$template_db')
			UNION ALL SELECT 1 FROM pg_roles WHERE rolname = 'app'")" ]
	then
		rm -r "$stage"
		die "this server has a database $test_db or $template_db, or a role app;" \
			'the tests create and remove objects with these names'
	fi
	trap 'leave_installcheck; exit 130' INT TERM
	prepare_templates
	prepare_regress_folder
	each regress test/sql sql unit_regress
	each isolation test/specs spec unit_isolation
	leave_installcheck
	sum_up_and_remove
}

leave_installcheck()
{
	sql -d postgres -c "DROP DATABASE IF EXISTS $test_db WITH (FORCE)" \
		-c "DROP DATABASE IF EXISTS $template_db" -c 'DROP OWNED BY app' \
		-c 'DROP ROLE app' 2>/dev/null
}

sum_up_and_remove()
{
	local status

	sum_up
	status=$?
	rm -r "$stage"
	exit $status
}
