# Checks of the tree itself.  Sourced by test/run.  A unit lint/NAME passes
# when its check prints nothing; a check prints one line for each finding.
#
# Short checks are functions here.  The others are programs below test/lint,
# found by their ending, which a developer may also run by hand (make lint):
#
#	tree/*.pl		need nothing
#	database/*		need a database with every preset (PGDATABASE)
#	demo/*.pl		read what the demo prints

lint_db=returns_lint

# Checks that need no server.
lint_tree()
{
	lint_one committed committed_products
	lint_one exports foreign_exports
	lint_one names clashing_names
	lint_one expected orphans
	lint_one version other_versions
	lint_one ascii beyond_ascii
	each lint test/lint/tree pl lint_program
}

# Checks that need the server of the SQL suites.
lint_database()
{
	each lint test/lint/database sql lint_in_database
	each lint test/lint/database pl lint_in_database
	each lint test/lint/demo pl lint_demo
}

# lint_one NAME COMMAND...: COMMAND prints the findings.
lint_one()
{
	local name=$1 log=$stage/lint_$1.log

	shift
	wanted "lint/$name" || return 0
	if ! (cd "$stage/tree" && "$@") > "$log" 2>&1
	then
		[ -s "$log" ] || printf 'the check failed without output\n' > "$log"
	fi
	if [ -s "$log" ]
	then
		record "lint/$name" 0 1 "$log"
	else
		record "lint/$name" 1 0
	fi
}

lint_program()
{
	lint_one "$1" perl "$2"
}

# The first check that needs the database creates it.
lint_in_database()
{
	local made=$stage/lint_database.log

	[ -f "$made" ] || make_lint_database > "$made" 2>&1 || cat "$made"
	case $2 in
		*.sql) lint_one "$1" sql -d $lint_db -f "$2";;
		*) PGDATABASE=$lint_db lint_one "$1" perl "$2";;
	esac
}

make_lint_database()
{
	sql -d postgres -c "CREATE DATABASE $lint_db" &&
		sql -d $lint_db -c 'CREATE EXTENSION returns' \
			-c "CALL returns.setup('kz', 'ru', 'eu', 'uk', 'us')"
}

# The demo runs once, in a database of its own.
lint_demo()
{
	[ -f "$stage/demo.out" ] || (create_database demo_db && tell_story) > "$stage/demo.out" 2>&1
	lint_one "$1" perl "$2" < "$stage/demo.out"
}

committed_products()
{
	[ ! -f "$stage/committed" ] ||
		! grep -E '\.(o|bc|so|d|dylib)$|setup_sql\.h$|^sql/returns--[^-]*\.sql$|\.(diffs|orig|rej)$' \
			"$stage/committed"
}

# Symbols that the library shows to others: the server's own and returns_*.
foreign_exports()
{
	[ "$(uname)" = Linux ] || return 0
	nm -D --defined-only "$stage/plain$system_lib/returns.so" |
		awk '$3 !~ /^(pg_finfo_)?returns_|^_PG_init$|^Pg_magic_func$|^_(init|fini|edata|end|_bss_start)$/'
}

# expected/ is shared by two suites, and pg_regress would take sql/NAME.sql for a test.
clashing_names()
{
	local file

	for file in test/specs/*.spec
	do
		[ ! -f "test/sql/$(basename "$file" .spec).sql" ] ||
			printf '%s has the name of a regress test\n' "$file"
	done
	for file in sql/*.sql
	do
		case $file in
			sql/returns--*) ;;
			*) [ ! -f "$file" ] || printf '%s does not belong in sql/\n' "$file";;
		esac
	done
}

# Every test has its expected output, and every output its test.
orphans()
{
	local file name

	for file in test/sql/*.sql test/specs/*.spec
	do
		name=${file##*/}
		[ ! -f "$file" ] || [ -f "expected/${name%.*}.out" ] ||
			printf '%s has no expected output\n' "$file"
	done
	for file in expected/*.out
	do
		name=$(basename "$file" .out)
		[ ! -f "$file" ] || [ -f "test/sql/$name.sql" ] || [ -f "test/specs/$name.spec" ] ||
			[ -f "test/sql/${name%_[0-9]}.sql" ] || [ -f "test/specs/${name%_[0-9]}.spec" ] ||
			printf '%s has no test\n' "$file"
	done
}

# The extension's script is read, and messages are sent, in any encoding.
beyond_ascii()
{
	export LC_ALL=C
	! grep -n '[^ -~[:space:]]' sql/functions/*.sql returns.control
	! grep -rn --include='*.[ch]' --exclude=setup_sql.h '"[^"]*[^ -~[:space:]"][^"]*"' src
}

other_versions()
{
	local version

	version=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" returns.control)
	grep -q "\"version\": \"$version\"" META.json ||
		printf 'META.json does not have version %s\n' "$version"
	grep -q "^## \[$version\]" CHANGELOG.md ||
		printf 'CHANGELOG.md does not have version %s\n' "$version"
}
