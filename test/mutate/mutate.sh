# Mutants of the C code, and whether the tests kill them.  Sourced by test/run.
#
# One change at a time (Mutations.pm) is made to a file of $FOLDERS.  The tests
# that execute the changed line run against the library with the change, the
# quickest first, until one fails: it killed the mutant.  A mutant that no test
# kills shows that a behaviour is not tested.
#
# $JOBS workers have a folder, a private PostgreSQL and a server each.  First
# they run every unit once with a library that counts what it executes
# (gcov); then they try mutants.  In both phases a worker claims units or
# mutants that no other worker has claimed.

: "${COUNT:=200}" "${SEED:=1}" "${JOBS:=2}" "${ONLY:=}" "${SLOW:=0}"
: "${FOLDERS:=src/rules src/records src/definitions src/api}"
wanted_percent=95
assertions=-DUSE_ASSERT_CHECKING

mutate()
{
	patterns=("$@")
	units=$stage/units coverage=$stage/coverage mutants=$stage/mutants
	counted=$stage/counted killers=$stage/killers
	mkdir "$coverage" "$mutants" "$killers"
	: > "$counted"
	ulimit -c 0
	export RETURNS_PROPERTY_SEED=${RETURNS_PROPERTY_SEED:-$SEED}
	printf 'Building for %s ...\n' "$("$PG_CONFIG" --version)"
	build assert "$assertions"
	WERROR=0 build cov "$assertions --coverage -O0"

	# the long ones first, so that the workers end together
	for suite in 'server test/t pl' 'pgtap test/pgtap sql' 'isolation test/specs spec' \
		'regress test/sql sql'
	do
		each $suite list_unit
	done > "$units"
	printf 'Running %d units to record the lines that they execute ...\n' "$(wc -l < "$units")"
	in_parallel cover_units
	"$stage/tree/test/mutate/generate" "$stage/tree" "$coverage" "$mutants" \
		$((COUNT * 3 + 20)) "$SEED" "$ONLY" $FOLDERS || die 'no mutants could be made'
	printf 'Trying %d mutants, seed %s ...\n' "$COUNT" "$SEED"
	in_parallel try_mutants
	report
}

list_unit()
{
	printf '%s %s\n' "$suite/$1" "$2"
}

# in_parallel COMMAND: run COMMAND NUMBER in every worker.
in_parallel()
{
	local number worker workers=()

	set -m
	for ((number = 1; number <= JOBS; number++))
	do
		$1 $number </dev/null &
		workers+=($!)
	done
	set +m
	for worker in "${workers[@]}"
	do
		wait "$worker" || die "a worker failed ($1)"
	done
}

# claim FOLDER: create the folder; succeeds for one worker only.
claim()
{
	mkdir "$1" 2>/dev/null
}

# move_in NAME: create a folder with the content that the functions of the
# suites expect in $stage.  The installation to test must be in it already.
move_in()
{
	in_lane=1
	stage=$stage/$1
	results=$stage/results
	mkdir "$stage/tmp"
	ln -s ../tree "$stage/tree"
	export TMPDIR=$stage/tmp WERROR=0
	start_server main assert
	prepare_templates
	prepare_regress_folder
	pg_ctl -s -w -m fast stop
	cp -a "$stage/main.data" "$stage/pristine.data"
	pg_ctl -s -w -l "$stage/main.server" start
}

# A test that was killed leaves roles, databases and running queries behind, so
# start a new server.
reset_server()
{
	pg_ctl -s -w -m immediate stop 2>/dev/null
	rm -rf "$PGDATA"
	cp -a "$stage/pristine.data" "$PGDATA"
	: > "$stage/main.server"
	pg_ctl -s -w -l "$stage/main.server" start || die 'the server did not start again'
}

# As in the harness, but with timeouts, because a mutant can hang.
sql()
{
	timeout "${RETURNS_TEST_TIMEOUT:-900}" psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# As in the harness, but without output.
record()
{
	printf '%s %d %d\n' "$1" "$2" "$3" >> "$results"
	[ "$3" = 0 ] || [ -z "${4:-}" ] || cp "$4" "$stage/failed.log"
}

# run_unit UNIT FILE: fails when the unit, verify() after it, or the server
# fails.
run_unit()
{
	local name=${1#*/}

	: > "$results"
	rm -f "$stage/failed.log"
	case $1 in
		server/*)
			clear_servers
			(server_environment assert && unit_server "$name" "$2");;
		*) "unit_${1%%/*}" "$name" "$2" > "$stage/output" 2>&1;;
	esac
	awk '$3 > 0 { failed = 1 } END { exit failed || !NR }' "$results" &&
		! grep -qE 'PANIC|TRAP|terminated by signal' "$stage/main.server"
}

# A server test that failed leaves its folder and possibly its server.
clear_servers()
{
	[ ! -d "$stage/server" ] || (stage=$stage/server && stop_all_servers)
	rm -rf "$stage/server"
}

now()
{
	printf '%s\n' "${EPOCHREALTIME/[.,]/}"
}

# since MICROSECONDS: the seconds that passed, with a decimal.
since()
{
	local tenths=$((($(now) - $1) / 100000))

	printf '%d.%d\n' $((tenths / 10)) $((tenths % 10))
}

cover_units()
{
	local unit file build=$stage/cov.build

	mkdir "$stage/cover$1"
	ln -s ../cov "$stage/cover$1/assert"
	export GCOV_PREFIX=$stage/cover$1/counts
	GCOV_PREFIX_STRIP=$(cd "$build" && pwd -P | tr -dc / | wc -c)
	export GCOV_PREFIX_STRIP
	mkdir "$GCOV_PREFIX"
	cp -R "$build/src" "$GCOV_PREFIX"
	move_in "cover$1"
	while read -r unit file
	do
		! claim "$coverage/${unit/\//.}" ||
			cover_unit "$unit" "$file" "$coverage/${unit/\//.}"
	done < "$units"
	pg_ctl -s -w -m fast stop
}

# cover_unit UNIT FILE FOLDER: note the name of the unit, its time and the
# lines that it executes.  A unit that fails without a mutant is left out.
cover_unit()
{
	local begin

	find "$GCOV_PREFIX" -name '*.gcda' -delete
	begin=$(now)
	if ! run_unit "$1" "$2"
	then
		printf 'left out, because it fails without a mutant: %s\n' "$1"
		tail -n 20 "$stage/failed.log" 2>/dev/null | sed 's/^/    /'
		reset_server
		return
	fi
	since "$begin" > "$3/seconds"
	printf '%s\n' "$1" > "$3/name"
	sleep 0.5	# for backends that still write their counts
	count_lines > "$3/lines"
}

# FILE LINE COUNT of every line of code.
count_lines()
{
	(cd "$GCOV_PREFIX" && find src -name '*.gcda' -exec gcov -t {} + 2>/dev/null) |
		awk -F: '
			$2 ~ /^ *0$/ { if ($3 == "Source") file = $4; next }
			file !~ /^src\/.*\.c$/ { next }
			{ gsub(/[ *]/, "", $1) }
			$1 ~ /^[0-9#=]+$/ { print file, $2 + 0, $1 ~ /^[#=]/ ? 0 : $1 }'
}

try_mutants()
{
	local mutant

	mkdir "$stage/worker$1"
	cp -a "$stage/assert" "$stage/worker$1/assert"
	cp -a "$stage/assert.build" "$stage/worker$1/build"
	original=$stage/assert.build
	move_in "worker$1"
	for mutant in "$mutants"/*
	do
		[ "$(wc -l < "$counted")" -lt "$COUNT" ] || break
		claim "$mutant/claimed" && try_mutant "$mutant"
	done
	pg_ctl -s -w -m fast stop
}

# try_mutant FOLDER: put the mutant in place, try it, and note the outcome.
try_mutant()
{
	local file place begin outcome

	file=$(<"$1/file") place=$(<"$1/place") begin=$(now)
	if install_mutant "$1" "$file"
	then
		printf '%s\n' "$place" >> "$counted"
		if [ -f "$1/explained" ]
		then
			outcome=explained
		elif kill_mutant "$1" "$file"
		then
			outcome=killed
		else
			outcome=survived
		fi
		printf '%s\n' "$outcome" > "$1/outcome"
		printf '%-9s %s  %s%s in %s s\n' "$outcome" "$place" "$(<"$1/change")" \
			"$(sed 's/^/  by /' "$1/killer" 2>/dev/null)" "$(since "$begin")"
	fi
	cp -a "$original/$file" "$stage/build/$file"
	cp -a "$original/${file%.c}.o" "$stage/build/${file%.c}.o"
}

# install_mutant FOLDER FILE: fails when it does not compile, or compiles to
# the same code.  New sessions load the new library; the server has none.
install_mutant()
{
	local object=${2%.c}.o library=$stage/assert$system_lib/returns.so

	cp "$1/mutant.c" "$stage/build/$2"
	make_in_build "$object" && ! same_code "$original/$object" "$stage/build/$object" &&
		make_in_build returns.so && cp "$stage/build/returns.so" "$library.new" &&
		mv "$library.new" "$library"
}

make_in_build()
{
	make -s -C "$stage/build" PG_CONFIG="$PG_CONFIG" with_llvm=no COPT="$assertions" "$1" \
		> "$stage/make.log" 2>&1
}

same_code()
{
	strip -d -o "$stage/a.o" "$1" && strip -d -o "$stage/b.o" "$2" &&
		cmp -s "$stage/a.o" "$stage/b.o"
}

# kill_mutant FOLDER FILE: does a unit fail?  The unit that killed the last
# mutant of the file is tried first, and server tests only when no other unit
# executes the line, or with SLOW=1.
kill_mutant()
{
	local unit seconds killer=$killers/${2//\//.}

	: > "$1/tried"
	while read -r unit seconds
	do
		case $unit in
			server/*)
				[ "$SLOW" = 1 ] || ! grep -qv '^server/' "$1/units" || continue;;
		esac
		printf '%s\n' "$unit" >> "$1/tried"
		if unit_fails "$unit" "$seconds"
		then
			printf '%s\n' "$unit" | tee "$killer" > "$1/killer"
			return 0
		fi
	done < <(grep -s "^$(cat "$killer" 2>/dev/null || echo -) " "$1/units"
		grep -v "^$(cat "$killer" 2>/dev/null || echo -) " "$1/units")
	return 1
}

# A server test depends on the speed of the machine, so it must fail twice.
unit_fails()
{
	local file RETURNS_TEST_TIMEOUT=$((60 + 10 * ${2%.*}))

	file=$(awk -v unit="$1" '$1 == unit { print $2 }' "$units")
	! run_unit "$1" "$file" || return 1
	reset_server
	case $1 in
		server/*) ! run_unit "$1" "$file";;
	esac
}

# Print the summary.  Fails when too many mutants survived.
report()
{
	local mutant

	printf '\n'
	for mutant in $(grep -lxE 'survived|explained' "$mutants"/*/outcome)
	do
		show_survivor "${mutant%/outcome}"
	done
	cat "$mutants"/*/outcome | awk -v wanted="$wanted_percent" '
		{ n[$1]++ }
		END {
			if (!NR) { print "No mutant was tried."; exit 1 }
			percent = 100 * n["killed"] / NR
			printf "%d mutants: %d killed (%.1f %%), %d survived, %d survived and are explained\n",
				NR, n["killed"], percent, n["survived"], n["explained"]
			exit percent < wanted
		}'
}

# Print a mutant in the form of an entry of the file `explained`.
show_survivor()
{
	cat "$1/file"
	sed 's/^/- /' "$1/old"
	sed 's/^/+ /' "$1/new"
	printf '# %s, %s' "$(<"$1/place")" "$(<"$1/outcome")"
	if [ -f "$1/explained" ]
	then
		printf '\n%s\n\n' "$(<"$1/explained")"
	else
		printf ' %d of %d units that execute it\n\n' "$(wc -l < "$1/tried")" "$(wc -l < "$1/units")"
	fi
}
