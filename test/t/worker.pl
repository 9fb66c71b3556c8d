# The background worker: its visits, its status, and its effect on other
# sessions.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nmax_worker_processes = 12\nmax_prepared_transactions = 2\nrestart_after_crash = on\nlog_statement = none\n");
$node->start;

# A market where the seller answers within an hour, and orders to return.
my $shop = q{
	CREATE EXTENSION returns;
	CALL returns.setup('kz');
	SET client_min_messages = error;
	INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('xx', 'UTC', 'kz', 'USD');
	INSERT INTO returns.policy (market, window_term, source) VALUES ('xx', 30, 'test');
	INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES
		('xx', 'requested', 1, 'hour', 'approved'), ('xx', 'approved', 1000, 'hour', 'expired');
	CREATE SEQUENCE public.orders;
};

# Open n returns whose deadline is this number of seconds from now; returns the
# ids.
sub request
{
	my ($database, $n, $seconds) = @_;
	return $node->safe_psql($database, qq{
		SET returns.actor = 'operator:desk';
		SELECT set_config('returns.clock', (now() - interval '1 hour' + interval '$seconds s')::text, false) \\g /dev/null
		WITH o AS (SELECT 'o' || nextval('public.orders') AS o FROM generate_series(1, $n)),
			s AS (INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
				quantity, amount_paid, currency, purchased_at, delivered_at)
				SELECT o, 1, 'b', 's', 'sku', 'clothing', 'xx', 1, 10, 'USD', returns.now() - interval '2 days',
				returns.now() - interval '1 day' FROM o RETURNING order_ref)
		SELECT count(*) FROM s \\g /dev/null
		SELECT returns.open_return(order_ref, '[{"line_no":1,"quantity":1}]', 'changed_mind')
		FROM returns.sale_line l WHERE NOT EXISTS (SELECT FROM returns.return_request r WHERE r.order_ref = l.order_ref);
	});
}

sub status
{
	my ($database, $columns) = @_;
	return $node->safe_psql('postgres', "SELECT $columns FROM returns.worker_status() WHERE database = '$database'");
}

# Wait until worker_status() shows this.
sub wait_status
{
	my ($database, $columns, $expected, $name) = @_;
	ok($node->poll_query_until('postgres',
		"SELECT $columns FROM returns.worker_status() WHERE database = '$database'", $expected), $name)
	  or diag(status($database, '*'));
}

sub wait_moved
{
	my ($database, $name) = @_;
	ok($node->poll_query_until($database,
		"SELECT count(*) = 0 FROM returns.return_request WHERE status = 'requested'"), $name)
	  or diag(status($database, '*'));
}

sub set_option
{
	my ($name, $value) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = $value");
	$node->reload;
}

# ------------------------------------------------------------ not preloaded
$node->safe_psql('postgres', 'CREATE EXTENSION returns');
is($node->safe_psql('postgres', 'SELECT count(*) FROM returns.worker_status()'), '0', 'worker_status() is empty when the library is not preloaded');
is($node->safe_psql('postgres', q{SELECT returns.now() IS NOT NULL; SHOW returns.naptime; SHOW returns.batch}), "t\n1min\n1000",
	'settings and functions work when the library is not preloaded');

# ------------------------------------------------------------ preloaded
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'returns'
returns.database = 'shop, "Other Shop", shop'
returns.naptime = 1
log_min_messages = debug1
});
$node->restart;
wait_status('shop', 'state', 'no such database', 'worker_status() reports a database that does not exist');
is($node->safe_psql('postgres', 'SELECT string_agg(database, $$,$$ ORDER BY database) FROM returns.worker_status()'),
	'Other Shop,shop', 'returns.database takes quoted names and ignores repetitions');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
wait_status('shop', 'state', 'not set up', 'worker_status() reports a database without the extension');
$node->safe_psql('shop', 'CREATE EXTENSION returns');
sleep 2;
is(status('shop', 'state'), 'not set up', 'worker_status() reports a database without the tables');
$node->safe_psql('shop', 'DROP EXTENSION returns');
$node->safe_psql('shop', $shop);
wait_status('shop', 'state', 'waiting', 'worker_status() reports a database that is set up');

request('shop', 5, -10);
wait_moved('shop', 'the worker moves due returns');
wait_status('shop', 'moved', '5', 'worker_status() counts the moves');
is($node->safe_psql('shop', q{SELECT DISTINCT actor, db_role = (SELECT rolname FROM pg_roles WHERE oid = 10) FROM returns.return_event WHERE to_state = 'approved'}),
	'system|t', 'a move by the worker is an event of the system by the first superuser');
wait_status('shop', 'last_moved', '0', 'a visit without due returns moves nothing');
is($node->safe_psql('postgres', q{SELECT string_agg(backend_type || '/' || application_name || '/' || state, ',') FROM pg_stat_activity WHERE backend_type = 'returns launcher'}),
	'returns launcher/returns launcher/idle', 'pg_stat_activity shows the launcher');

# ------------------------------------------------------------ the next due instant
request('shop', 1, 6);
wait_status('shop', 'next_due IS NOT NULL', 't', 'worker_status() shows the next deadline');
set_option('returns.naptime', 3600);
my $before = time;
wait_moved('shop', 'the worker moves a return that becomes due within a long naptime');
cmp_ok(time - $before, '<', 60, 'the worker does not wait for the end of a long naptime');
is($node->safe_psql('shop', q{SELECT count(*) FROM returns.return_event e WHERE to_state = 'approved' AND at < (SELECT due_at FROM returns.return_event p WHERE p.return_id = e.return_id AND p.seq = e.seq - 1)}),
	'0', 'the worker moves no return before its deadline');
set_option('returns.naptime', 1);

# ------------------------------------------------------------ settings of the database
# The worker sweeps under READ COMMITTED, which it needs to skip locked rows.
$node->safe_psql('shop', q{
	ALTER DATABASE shop SET default_transaction_isolation = 'serializable';
	CREATE TABLE public.swept (isolation text);
	CREATE FUNCTION public.note_isolation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO public.swept VALUES (current_setting('transaction_isolation')); RETURN NULL; END $$;
	CREATE TRIGGER note_isolation AFTER UPDATE ON returns.return_request FOR EACH ROW
		WHEN (NEW.status = 'approved') EXECUTE FUNCTION public.note_isolation()});
is($node->safe_psql('shop', 'SHOW transaction_isolation'), 'serializable', 'a database whose sessions are serializable');
request('shop', 1, -10);
wait_moved('shop', 'what is due in it moves');
is($node->safe_psql('shop', 'SELECT DISTINCT isolation FROM public.swept'), 'read committed', 'in a transaction that is read committed');
$node->safe_psql('shop', q{
	DROP FUNCTION public.note_isolation() CASCADE;
	DROP TABLE public.swept;
	ALTER DATABASE shop RESET default_transaction_isolation});

# ------------------------------------------------------------ no busy loop
# A due return that cannot move, or is locked, must not keep the worker busy.
set_option('returns.database', "''");
my $id = request('shop', 1, -10);
$node->safe_psql('shop', "BEGIN; SELECT FROM returns.return_request WHERE id = $id FOR UPDATE; PREPARE TRANSACTION 'held'");
set_option('returns.database', 'shop');
my $offset = -s $node->logfile;
sleep 4;
my $starts = () = slurp_file($node->logfile, $offset) =~ /starting background worker process "returns sweep of shop"/g;
cmp_ok($starts, '<=', 6, "visits of a locked return are a naptime apart: $starts in 4 s");
cmp_ok($starts, '>=', 2, 'visits continue while a due return is locked');
$node->safe_psql('shop', "ROLLBACK PREPARED 'held'");
wait_moved('shop', 'a return that was locked moves after its release');

# ------------------------------------------------------------ reload
set_option('returns.database', "''");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM returns.worker_status()'), 'worker_status() is empty after returns.database is cleared');
request('shop', 3, -10);
sleep 2;
is($node->safe_psql('shop', q{SELECT count(*) FROM returns.return_request WHERE status = 'requested'}), '3', 'returns of a database that is not listed stay');
isnt($node->psql('postgres', q{ALTER SYSTEM SET returns.database = 'a,,b'}), 0, 'returns.database refuses a malformed list');
set_option('returns.database', "shop");
wait_moved('shop', 'a database that is listed again is swept');

# ------------------------------------------------------------ termination
my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'returns launcher'});
is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 5000)"), 't', 'the launcher can be terminated');
request('shop', 2, -10);
wait_moved('shop', 'the launcher starts again after it is terminated');

$pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'returns launcher'});
my $log = -s $node->logfile;
kill 'KILL', $pid;
$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
ok(wait_until_back($node), 'the server restarts after kill -9 of the launcher');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'returns launcher' AND pid <> $pid"),
	'the launcher starts again after kill -9');
request('shop', 2, -10);
wait_moved('shop', 'returns are swept after kill -9 of the launcher');

# ------------------------------------------------------------ beside other commands
# Many due returns, loaded as history.
sub load
{
	my ($database, $n) = @_;
	$node->safe_psql($database, qq{
		BEGIN;
		ALTER TABLE returns.return_request DISABLE TRIGGER USER;
		INSERT INTO returns.return_request (order_ref, status, reason, due_at, wake_at, on_timeout, buyer_ref, seller_ref,
			market, currency, last_seq, last_hash)
		SELECT 'l' || i, 'requested', 'changed_mind', now() - interval '1 hour', now() - interval '1 hour', 'approved',
			'b', 's', 'xx', 'USD', 2, '\\x00' FROM generate_series(1, $n) i;
		ALTER TABLE returns.return_request ENABLE TRIGGER USER;
		COMMIT;
	});
}
for my $round (1 .. 3)
{
	$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE shop');
	$node->safe_psql('postgres', 'DROP DATABASE copy');
}
pass('a listed database can be copied again and again');
$node->safe_psql('postgres', 'CREATE DATABASE busy TEMPLATE shop');
set_option('returns.database', "'shop, busy'");
load('busy', 150_000);
wait_status('busy', 'state', 'sweeping', 'worker_status() reports a long sweep');
$node->safe_psql('postgres', 'DROP DATABASE busy');
pass('a database can be dropped while it is swept');
wait_status('busy', 'state', 'no such database', 'worker_status() reports that a dropped database does not exist');
request('shop', 1, -10);
wait_moved('shop', 'other databases are swept after one is dropped');

# kill -9 during a sweep: committed moves stay, and the next visit makes the
# others.
load('shop', 40_000);
ok($node->poll_query_until('shop', q{SELECT count(*) > 1000 FROM returns.return_request WHERE status = 'approved' AND order_ref LIKE 'l%'}), 'the worker is in the middle of a sweep before the kill');
my $visitor = $node->safe_psql('postgres', q{SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE backend_type = 'returns sweep'});
kill 'KILL', $visitor if $visitor > 0;
ok($node->poll_query_until('shop', q{SELECT count(*) = 0 FROM returns.return_request WHERE status = 'requested'}), 'all returns move after kill -9 of a sweep');
is($node->safe_psql('shop', q{SELECT count(*), count(DISTINCT order_ref) FROM returns.return_event WHERE order_ref LIKE 'l%' AND to_state = 'approved'}),
	'40000|40000', 'kill -9 of a sweep moves no return twice');

# ------------------------------------------------------------ damaged tables
$node->safe_psql('shop', 'ALTER TABLE returns.return_request DISABLE TRIGGER zz_returns_request');
wait_status('shop', 'state', 'failed', 'worker_status() reports a failed sweep while a trigger is disabled');
like(status('shop', 'last_error'), qr/zz_returns_request/, 'the error of the failed sweep names the disabled trigger');
$node->safe_psql('shop', 'ALTER TABLE returns.return_request ENABLE TRIGGER zz_returns_request');
wait_status('shop', 'state', 'waiting', 'the worker sweeps after the trigger is enabled');
$offset = -s $node->logfile;
$node->safe_psql('shop', 'SET client_min_messages = error; DROP EXTENSION returns CASCADE');
wait_status('shop', 'state', 'not set up', 'worker_status() reports a database whose extension is dropped');
sleep 2;
unlike(slurp_file($node->logfile, $offset), qr/ERROR|FATAL/, 'a database whose extension is dropped fills no log');
$node->safe_psql('shop', "CREATE EXTENSION returns; CALL returns.setup()");
wait_status('shop', 'state', 'waiting', 'the worker sweeps after the extension is created again');

# ------------------------------------------------------------ a standby
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
request('shop', 3, 8);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'returns launcher'}), '0',
	'a standby has no launcher');
isnt($standby->psql('shop', 'SELECT returns.run_deadlines()'), 0, 'run_deadlines() fails on a standby');
$node->stop('immediate');
$standby->promote;
ok($standby->poll_query_until('shop', q{SELECT count(*) = 0 FROM returns.return_request WHERE status = 'requested'}),
	'a promoted standby moves due returns');
is($standby->safe_psql('shop', q{SELECT count(*) FROM returns.return_event WHERE to_state = 'approved' GROUP BY return_id HAVING count(*) > 1}), '', 'a promoted standby moves no return twice');
$standby->stop;

done_testing();
