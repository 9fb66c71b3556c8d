# The caches of a session: plans and rules do not accumulate, and a session
# continues after the extension is dropped, created again or rolled back.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;

my $node = new_node('cache');
set_up_database($node, 'postgres');

# ------------------------------------------------------------ no accumulation
my $count = q{
	SELECT count(*) FILTER (WHERE name = 'CachedPlanSource') || ' ' || sum(total_bytes) / 1024
	  FROM pg_backend_memory_contexts;
};

# Counts plans and memory after a warm-up and after many more of the same.
sub grows
{
	my ($why, $times, $one) = @_;
	my $script = $session . "SELECT sell('o-' || n, 1) FROM generate_series(1, 3000) n \\g /dev/null\n";
	my $n = 0;
	my @counts;

	foreach my $round (60, 60, $times)
	{
		for my $i (1 .. $round)
		{
			my $statement = $one;

			$n++;
			$statement =~ s/\bN\b/$n/g;
			$script .= $statement . "\n";
		}
		$script .= "\\echo counted\n$count";
	}
	my $out = $node->safe_psql('postgres', $script);
	while ($out =~ /counted\n(\d+) (\d+)/g)
	{
		push @counts, [ $1, $2 ];
	}
	is($counts[2][0], $counts[1][0], "$why: the number of cached plans does not grow from $counts[1][0]");
	cmp_ok($counts[2][1], '<=', $counts[1][1] + 256, "$why: the memory of the session does not grow: $counts[1][1] kB, then $counts[2][1] kB");
	return;
}

sub fresh
{
	$node->safe_psql('postgres', 'DROP EXTENSION returns CASCADE; DROP SCHEMA returns CASCADE;'
		. ' DROP FUNCTION sell, ask, take');
	set_up_database($node, 'postgres');
	return;
}

grows('whole lives of returns', 1000,
	"SELECT take(ask('o-N'), 'approved', 'received', 'refund_due', 'refunded') \\g /dev/null");
is($node->safe_psql('postgres', 'SELECT count(*) FROM returns.verify()'), '0', 'verify() finds nothing after the many statements of one session');
fresh();
grows('refusals', 1000, q{
	DO $$ BEGIN PERFORM take(ask('o-N'), 'refunded', 'exchanged'); EXCEPTION WHEN SQLSTATE 'RT001' THEN NULL; END $$;});
fresh();
grows('plain statements and savepoints', 500, q{
	BEGIN; INSERT INTO returns.return_request (order_ref, reason) VALUES ('o-N', 'defective'); SAVEPOINT s;
	UPDATE returns.return_request SET note = 'x' WHERE order_ref = 'o-N'; ROLLBACK TO s;
	DELETE FROM returns.return_request WHERE order_ref = 'o-N'; COMMIT;});
fresh();
grows('changes of the rules', 400, q{
	UPDATE returns.transition SET requires = requires WHERE machine = 'return' AND from_state = 'requested';
	UPDATE returns.policy SET source = source WHERE id = 1;
	SELECT take(ask('o-N'), 'cancelled') \g /dev/null});
fresh();

# ------------------------------------------------- dropped and created again
my $busy = $node->background_psql('postgres', on_error_stop => 0);
my $idle = $node->background_psql('postgres', on_error_stop => 0);
foreach my $s ($busy, $idle)
{
	$s->query($session);
}
is($busy->query("SELECT take(ask(sell('a')), 'approved')"), 'approved', 'the session that will drop the extension has cached plans and rules');
is($idle->query("SELECT take(ask(sell('b')), 'approved')"), 'approved', 'another session has cached plans and rules');

# A session that misses the messages about changes, because they are too many, is
# told that everything has changed.
my $requires = "SELECT requires FROM returns.allowed_actions((SELECT id FROM returns.return_request WHERE order_ref = 'b')) WHERE to_state = 'received'";
my $edit = "UPDATE returns.transition SET requires = '%s' WHERE machine = 'return' AND from_state = 'approved' AND to_state = 'received'";
my $pid = $idle->query('SELECT pg_backend_pid()');
is($idle->query($requires), '{}', 'a session has read the rules before they change');
kill 'STOP', $pid;
$busy->query('BEGIN; ' . sprintf($edit, '{note}') . q{; DO $$ BEGIN FOR i IN 1..1000 LOOP CREATE TABLE many (a int); DROP TABLE many; END LOOP; END $$; COMMIT});
kill 'CONT', $pid;
is($idle->query($requires), '{note}', 'a session that missed the messages about a change reads the rules again');
$busy->query(sprintf($edit, '{}'));

$busy->query('CREATE TABLE kept AS SELECT * FROM returns.return_request');

my ($ret, $out, $err) = $node->psql('postgres', 'DROP EXTENSION returns');
isnt($ret, 0, 'DROP EXTENSION without CASCADE is refused');
like($err, qr/other objects depend on it/, 'DROP EXTENSION without CASCADE says that other objects depend on it');
$busy->query('DROP EXTENSION returns CASCADE');
is($busy->query('SELECT count(*) FROM kept JOIN returns.return_request r USING (id)'), '2', 'every return stays after DROP EXTENSION CASCADE');
is($busy->query('SELECT count(*) FROM returns.return_event'), '6', 'every event stays after DROP EXTENSION CASCADE');
is($busy->query("SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'returns.%' AND NOT tgisinternal"), '0',
	'no trigger stays after DROP EXTENSION CASCADE');
is($busy->query("SELECT count(*) FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'v'"), '0', 'no view stays after DROP EXTENSION CASCADE');
$busy->query('CREATE EXTENSION returns');
$busy->query("CALL returns.setup('kz')");
is($busy->query('SELECT count(*) FROM returns.verify()'), '0', 'verify() finds nothing after the extension is created again');
is($busy->query('SELECT count(*) FROM kept JOIN returns.return_request r ON r.id = kept.id AND r::text = kept::text'), '2',
	'no return changes when the extension is dropped and created');
is($busy->query("SELECT take(id, 'received') FROM kept WHERE order_ref = 'a'"), 'received', 'the session that dropped and created the extension moves a return');
is($idle->query("SELECT take(id, 'received', 'refund_due', 'refunded') FROM kept WHERE order_ref = 'b'"), 'refunded',
	'a session that was idle meanwhile refunds a return');
is($idle->query("SELECT take(ask(sell('c')), 'approved')"), 'approved', 'a session that was idle meanwhile opens a return');

# The same in one transaction, which is rolled back.
is( $busy->query(q{
	BEGIN;
	DROP EXTENSION returns CASCADE;
	CREATE EXTENSION returns;
	CALL returns.setup('kz');
	SELECT take(ask(sell('d')), 'approved');
	ROLLBACK;
	SELECT take(ask(sell('d')), 'approved', 'received');
}), "approved\nreceived", 'returns move while the extension is dropped and created and after that is rolled back');
is($busy->query(q{BEGIN; DROP EXTENSION returns CASCADE; ROLLBACK; SELECT take(ask(sell('e')), 'approved')}), 'approved',
	'a return can be opened after DROP EXTENSION is rolled back');
is($busy->query('SELECT count(*) FROM returns.verify()'), '0', 'verify() finds nothing after DROP EXTENSION is rolled back');
$busy->quit;
$idle->quit;

# --------------------------------------------------------- CREATE rolled back
$node->safe_psql('postgres', 'CREATE DATABASE blank');
my $blank = $node->background_psql('blank', on_error_stop => 0);
$blank->query(q{BEGIN; CREATE EXTENSION returns; CALL returns.setup('kz'); ROLLBACK});
is($blank->query(q{SELECT count(*) FROM pg_namespace WHERE nspname = 'returns'}), '0', 'CREATE EXTENSION that is rolled back leaves no schema');
$blank->query('CREATE EXTENSION returns');

# ------------------------------------------------------------ before setup()
my %calls = (
	'open_return' => q{SELECT returns.open_return('o', '[{"line_no":1,"quantity":1}]', 'defective')},
	'act' => q{SELECT returns.act(1, 'approved')},
	'allowed_actions' => q{SELECT * FROM returns.allowed_actions(1)},
	'claim_refunds' => q{SELECT * FROM returns.claim_refunds(1)},
	'preview_refund' => q{SELECT * FROM returns.preview_refund(1)},
	'grant_refund' => q{SELECT returns.grant_refund(1, 1, 'x')},
	'eligibility' => q{SELECT * FROM returns.eligibility('o')},
	'deadline' => q{SELECT returns.deadline('2026-03-01', 1, 'day', 'kz')},
	'explain_deadline' => q{SELECT returns.explain_deadline('2026-03-01', 1, 'day', 'kz')},
	'run_deadlines' => q{SELECT returns.run_deadlines()},
	'check_workflow' => q{SELECT * FROM returns.check_workflow()},
	'verify' => q{SELECT * FROM returns.verify()},
);
foreach my $name (sort keys %calls)
{
	$node->psql('blank', "SET returns.actor = 'operator:x'; $calls{$name}", stderr => \$err);

	like($err, qr/returns is not set up.*HINT:.*returns\.setup\(\)/s, "$name() before setup() has a hint to call it");
	($ret) = $node->psql('blank', "\\set ON_ERROR_STOP 0\nSET returns.actor = 'operator:x';\n$calls{$name};\n\\echo :SQLSTATE",
		stdout => \$out, on_error_stop => 0);
	like($out, qr/RT012/, "$name() before setup() fails with RT012");
}
is($blank->query(q{SELECT returns.now() = now()}), 't', 'returns.now() works before setup()');
$blank->query("CALL returns.setup()");
$blank->query("CALL returns.setup('kz')");
is($blank->query('SELECT count(*) FROM returns.verify()'), '0', 'setup() works in the session that created the extension');
$blank->quit;

# ------------------------------------------------------------ another version
$node->safe_psql('blank', q{SET session_replication_role = replica; UPDATE returns.installation SET version = '0.0.1'});
$node->psql('blank', "SET returns.actor = 'operator:x'; SELECT returns.act(1, 'approved')", stderr => \$err);
like($err, qr/another version.*0\.0\.1.*ALTER EXTENSION/s, 'tables of another version are refused with a hint');
$node->safe_psql('blank', q{CALL returns.setup()});
is($node->safe_psql('blank', 'SELECT count(*) FROM returns.verify()'), '0', 'setup() updates tables of another version');

$node->stop;
done_testing();
