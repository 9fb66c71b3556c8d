# Large sweeps: under an old snapshot, in sequence, killed, and beside clients.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;

my $node = new_node('sweep', "max_prepared_transactions = 5\nautovacuum = off\nrestart_after_crash = on\nlog_statement = none\n");
set_up_database($node, 'postgres');

my $due = '2026-03-12 00:00+05';

# n returns that wait for their seller, as history: the first d are due.
sub load
{
	my ($prefix, $n, $d) = @_;
	$node->safe_psql('postgres', qq{
		BEGIN;
		ALTER TABLE returns.return_request DISABLE TRIGGER USER;
		INSERT INTO returns.return_request (order_ref, status, reason, due_at, wake_at, on_timeout, buyer_ref, seller_ref,
			market, currency, last_seq, last_hash)
		SELECT '$prefix' || i, 'requested', 'changed_mind', t, t, 'approved', 'b', 's', 'kz', 'KZT', 0, NULL
		FROM (SELECT i, timestamptz '$due' + CASE WHEN i > $d THEN interval '10 days' ELSE interval '0' END AS t
			FROM generate_series(1, $n) i) v;
		ALTER TABLE returns.return_request ENABLE TRIGGER USER;
		COMMIT;
		VACUUM ANALYZE returns.return_request;
	});
}

# Run statements at an instant; their output.
sub at
{
	my ($clock, $sql) = @_;
	return $node->safe_psql('postgres', "SET returns.clock = '$clock';\n$sql");
}

# The cost of a poll in pages: 'SELECT run_deadlines()' by EXPLAIN.
my $poll = q{EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT returns.run_deadlines();};

sub pages
{
	my ($output) = @_;
	my @pages;

	# the figures of the plan node come before those of planning
	while ($output =~ /"Plan": \{.*?"Shared Hit Blocks": (\d+),\s*"Shared Read Blocks": (\d+)/gs)
	{
		push @pages, $1 + $2;
	}
	return @pages;
}

# ------------------------------------------------------------ nothing due
load('a', 10_000, 0);
my $small = (pages(at($due, "SELECT returns.run_deadlines();\n" x 6 . $poll)))[0];
load('b', 90_000, 0);
my $large = (pages(at($due, "SELECT returns.run_deadlines();\n" x 6 . $poll)))[0];
cmp_ok($small, '<', 30, "an idle poll reads $small pages among 10,000 open returns");
cmp_ok($large, '<=', $small + 3, "and $large among 100,000");

# ------------------------------------------------------------ an old snapshot
load('c', 30_000, 30_000);
$node->safe_psql('postgres', "BEGIN; CREATE TABLE old(); PREPARE TRANSACTION 'old'");
$node->safe_psql('postgres', "BEGIN; SELECT FROM returns.return_request WHERE order_ref = 'c29990' FOR UPDATE; PREPARE TRANSACTION 'held'");
my $output = at($due, "SELECT returns.run_deadlines(1);\nCALL returns.sweep();\n" . $poll x 2 . q{
	SELECT 'then ' || returns.run_deadlines();
	\! psql -Xqc "ROLLBACK PREPARED 'held'" postgres
	SELECT 'freed ' || returns.run_deadlines();
	SELECT 'then ' || returns.run_deadlines();
});
my @after = pages($output);
like($output, qr/then 0\nfreed 1\nthen 0$/, 'a return that was locked during a sweep moves in the next');
is($node->safe_psql('postgres', q{SELECT count(*) FROM returns.return_request WHERE status = 'approved'}), '30000', 'concurrent sweeps move all due returns');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT return_id) FROM returns.return_event WHERE to_state = 'approved'}), '30000|30000', 'concurrent sweeps move each return once');
cmp_ok($after[0], '<', 100, "the poll after a sweep reads few pages: $after[0]");
cmp_ok($after[1], '<', 100, "the second poll after a sweep reads few pages: $after[1]");
my @fresh = pages(at($due, "SELECT 1 FROM returns.state LIMIT 1;\n" . $poll x 3));
cmp_ok($fresh[0], '>', 300, "the first poll of another session reads all that an old snapshot keeps: $fresh[0] pages");
cmp_ok($fresh[2], '<', 100, "later polls of another session read few pages: $fresh[2]");

# It scans from the beginning again when there is a reason.
load('d', 1, 1);
is(at($due, 'SELECT returns.run_deadlines()'), '1', 'a sweep finds a return that became due behind its last position');
my $undone = at($due, q{
	SELECT returns.run_deadlines();
	BEGIN;
	SELECT returns.run_deadlines();
	ROLLBACK;
	SELECT 1 FROM returns.state LIMIT 1;
} . $poll);
cmp_ok((pages($undone))[0], '>', 300, 'a sweep that was rolled back does not advance the start of the next');
$node->safe_psql('postgres', q{
	BEGIN;
	ALTER TABLE returns.return_request DISABLE TRIGGER USER;
	UPDATE returns.return_request SET wake_at = wake_at - interval '5 days', due_at = due_at - interval '5 days' WHERE order_ref = 'a1';
	ALTER TABLE returns.return_request ENABLE TRIGGER USER;
	COMMIT;});
is(at($due, q{SELECT returns.run_deadlines() \g /dev/null
	SET returns.clock = '2026-03-11 00:00+05';
	SELECT count(*) FROM returns.return_request WHERE order_ref = 'a1' AND status = 'approved';}), '0', 'a deadline that was moved up does not move the return too early');
is(at('2026-03-18 00:00+05', q{SELECT returns.run_deadlines() \g /dev/null
	SELECT status FROM returns.return_request WHERE order_ref = 'a1';}), 'approved', 'a sweep finds a return whose deadline was moved up');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'old'");

# ------------------------------------------------------------ killed in the middle
load('e', 20_000, 20_000);
slow_down($node, 'postgres');
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/slow.sql", "SET returns.clock = '2026-03-13 00:00+05';\nCALL returns.sweep(100);\n");
my $psql = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('postgres'), '-f', "$dir/slow.sql" ], '>&', \my $out);
ok($node->poll_query_until('postgres', q{SELECT count(*) > 1000 FROM returns.return_request WHERE status = 'approved' AND order_ref LIKE 'e%'}), 'the server is in the middle of a sweep before the kill');
my $pid = $node->safe_psql('postgres', q{SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE query LIKE 'CALL returns.sweep%'});
kill 'KILL', $pid if $pid > 0;
$psql->finish;
ok($pid > 0, 'the backend of the sweep is killed');
ok(wait_until_back($node), 'the server restarts after a sweep is killed');
speed_up($node, 'postgres');
at('2026-03-13 00:00+05', 'CALL returns.sweep()');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT return_id), count(*) FILTER (WHERE seq <> 1) FROM returns.return_event e
	JOIN returns.return_request r ON r.id = e.return_id WHERE r.order_ref LIKE 'e%'}), '20000|20000|0', 'a sweep that is killed and repeated moves each return once');

# ------------------------------------------------------------ many at once
# Four sweepers, and clients that act on the same returns in another order.
load('f', 8_000, 8_000);
$node->safe_psql('postgres', q{CREATE SEQUENCE public.next});
append_to_file("$dir/sweep.sql", "SET returns.clock = '2026-03-13 00:00+05';\nCALL returns.sweep(200);\n");
append_to_file("$dir/act.sql", q{
SET returns.actor = 'operator:desk';
SET returns.clock = '2026-03-13 00:00+05';
UPDATE returns.return_request SET status = 'cancelled'
 WHERE status = 'requested' AND id IN (SELECT id FROM returns.return_request WHERE order_ref LIKE 'f%' AND status = 'requested'
	ORDER BY id DESC OFFSET 500 * (random() * 10)::int LIMIT 20);
});
$node->command_ok([ 'pgbench', '-n', '-c', '6', '-j', '2', '-t', '10', '-f', "$dir/sweep.sql\@2", '-f', "$dir/act.sql\@1",
	$node->connstr('postgres') ], 'sweeps and clients run at the same time without an error');
at('2026-03-13 00:00+05', 'CALL returns.sweep()');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT return_id), count(DISTINCT (return_id, seq)) FROM returns.return_event e
	JOIN returns.return_request r ON r.id = e.return_id WHERE r.order_ref LIKE 'f%'}), '8000|8000|8000', 'sweeps and clients move each return once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM returns.return_request WHERE order_ref LIKE 'f%' AND status = 'requested'}), '0', 'all due returns have moved after sweeps beside clients');
unlike(slurp_file($node->logfile), qr/deadlock/, 'sweeps beside clients have no deadlock');

# Sweepers of a database in which every transaction uses one snapshot.
load('g', 8_000, 8_000);
append_to_file("$dir/snapshot.sql", "SET default_transaction_isolation = 'repeatable read';\nSET returns.clock = '2026-03-13 00:00+05';\nCALL returns.sweep(50);\n");
$node->command_like([ 'pgbench', '-n', '-c', '4', '-j', '2', '-t', '1', '-f', "$dir/snapshot.sql", $node->connstr('postgres') ],
	qr{transactions actually processed: 4/4}, 'sweeps under REPEATABLE READ do not stop at returns that others moved');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT return_id) FROM returns.return_event e
	JOIN returns.return_request r ON r.id = e.return_id WHERE r.order_ref LIKE 'g%'}), '8000|8000', 'sweeps under REPEATABLE READ move each return once');

# ------------------------------------------------------------ a sweep and a client that wait for each other
# The sweep has locked the return and waits for its lines; the client has locked
# a line and waits for the return.
my $received = $node->safe_psql('postgres', $session . q{
	SELECT sell('h') \gset
	SELECT ask('h') AS id \gset
	SELECT take(:id, 'approved', 'received') \gset
	SELECT :id});
$node->safe_psql('postgres', q{
	CREATE SEQUENCE public.tries;
	CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN 1 .. CASE WHEN nextval('public.tries') = 1 THEN 6000 ELSE 0 END LOOP	-- until the client waits
			PERFORM pg_stat_clear_snapshot();
			EXIT WHEN EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%returns.return_line%');
			PERFORM pg_sleep(0.01);
		END LOOP;
		RETURN NEW;
	END $$;
	CREATE TRIGGER dawdle BEFORE UPDATE OF status ON returns.return_request FOR EACH ROW WHEN (NEW.order_ref = 'h') EXECUTE FUNCTION public.dawdle()});
append_to_file("$dir/wait.sql", "SET returns.clock = '2026-03-30 00:00+05';\nCALL returns.sweep();\n");
my $sweep = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('postgres'), '-f', "$dir/wait.sql" ], '>&', \my $swept);
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'}), 'the sweep has locked the return');
is($node->safe_psql('postgres', "SET deadlock_timeout = '60s'; SET returns.clock = '2026-03-30 00:00+05'; SET returns.actor = 'operator:desk';
	UPDATE returns.return_line SET received = 1, accepted = 0 WHERE return_id = $received RETURNING accepted"), '0', 'a client gets the line that a sweep waits for');
$sweep->finish;
at('2026-03-31 00:00+05', 'CALL returns.sweep()');
is($node->safe_psql('postgres', "SELECT status || ' ' || refund_total FROM returns.return_request WHERE id = $received"), 'refunded 0.00', 'the sweep moves the return after its refund');

done_testing();
