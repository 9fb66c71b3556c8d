# The background worker: waits, sweeps, and is in nobody's way.

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

# Open n returns whose deadline comes in so many seconds; the ids.
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
is($node->safe_psql('postgres', 'SELECT count(*) FROM returns.worker_status()'), '0', 'no worker where nothing is preloaded');
is($node->safe_psql('postgres', q{SELECT returns.now() IS NOT NULL; SHOW returns.naptime; SHOW returns.batch}), "t\n1min\n1000",
	'its settings are there all the same');

# ------------------------------------------------------------ preloaded
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'returns'
returns.database = 'shop, "Other Shop", shop'
returns.naptime = 1
log_min_messages = debug1
});
$node->restart;
wait_status('shop', 'state', 'no such database', 'a database that does not exist');
is($node->safe_psql('postgres', 'SELECT string_agg(database, $$,$$ ORDER BY database) FROM returns.worker_status()'),
	'Other Shop,shop', 'names are taken as they are written, once each');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
wait_status('shop', 'state', 'not set up', 'a database without the extension');
$node->safe_psql('shop', 'CREATE EXTENSION returns');
sleep 2;
is(status('shop', 'state'), 'not set up', 'a database without the tables');
$node->safe_psql('shop', 'DROP EXTENSION returns');
$node->safe_psql('shop', $shop);
wait_status('shop', 'state', 'waiting', 'a database that is set up');

request('shop', 5, -10);
wait_moved('shop', 'what is due moves');
wait_status('shop', 'moved', '5', 'and is counted');
is($node->safe_psql('shop', q{SELECT DISTINCT actor, db_role = (SELECT rolname FROM pg_roles WHERE oid = 10) FROM returns.return_event WHERE to_state = 'approved'}),
	'system|t', 'by the system');
wait_status('shop', 'last_moved', '0', 'later visits find nothing');
is($node->safe_psql('postgres', q{SELECT string_agg(backend_type || '/' || application_name || '/' || state, ',') FROM pg_stat_activity WHERE backend_type = 'returns launcher'}),
	'returns launcher/returns launcher/idle', 'the launcher tells what it is');

# ------------------------------------------------------------ the next due instant
request('shop', 1, 6);
wait_status('shop', 'next_due IS NOT NULL', 't', 'the worker knows what comes next');
set_option('returns.naptime', 3600);
my $before = time;
wait_moved('shop', 'the worker does not oversleep it');
cmp_ok(time - $before, '<', 60, 'by an hour');
is($node->safe_psql('shop', q{SELECT count(*) FROM returns.return_event e WHERE to_state = 'approved' AND at < (SELECT due_at FROM returns.return_event p WHERE p.return_id = e.return_id AND p.seq = e.seq - 1)}),
	'0', 'and is never early');
set_option('returns.naptime', 1);

# ------------------------------------------------------------ what the database prefers
# The worker sweeps read committed, as it must to pass over what is held.
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
# What is due and cannot move, or is held, must not keep it busy.
set_option('returns.database', "''");
my $id = request('shop', 1, -10);
$node->safe_psql('shop', "BEGIN; SELECT FROM returns.return_request WHERE id = $id FOR UPDATE; PREPARE TRANSACTION 'held'");
set_option('returns.database', 'shop');
my $offset = -s $node->logfile;
sleep 4;
my $starts = () = slurp_file($node->logfile, $offset) =~ /starting background worker process "returns sweep of shop"/g;
cmp_ok($starts, '<=', 6, "visits are a naptime apart: $starts in 4 s");
cmp_ok($starts, '>=', 2, 'and come');
$node->safe_psql('shop', "ROLLBACK PREPARED 'held'");
wait_moved('shop', 'what was held moves when it is free');

# ------------------------------------------------------------ reload
set_option('returns.database', "''");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM returns.worker_status()'), 'no database is listed any more');
request('shop', 3, -10);
sleep 2;
is($node->safe_psql('shop', q{SELECT count(*) FROM returns.return_request WHERE status = 'requested'}), '3', 'so none is swept');
isnt($node->psql('postgres', q{ALTER SYSTEM SET returns.database = 'a,,b'}), 0, 'no list of names');
set_option('returns.database', "shop");
wait_moved('shop', 'listed again');

# ------------------------------------------------------------ it is ended
my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'returns launcher'});
is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 5000)"), 't', 'the launcher is terminated');
request('shop', 2, -10);
wait_moved('shop', 'and comes back');

$pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'returns launcher'});
my $log = -s $node->logfile;
kill 'KILL', $pid;
$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
ok(wait_until_back($node), 'the server survives a kill -9');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'returns launcher' AND pid <> $pid"),
	'and so does the launcher');
request('shop', 2, -10);
wait_moved('shop', 'which sweeps on');

# ------------------------------------------------------------ in nobody's way
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
pass('CREATE DATABASE ... TEMPLATE, again and again');
$node->safe_psql('postgres', 'CREATE DATABASE busy TEMPLATE shop');
set_option('returns.database', "'shop, busy'");
load('busy', 150_000);
wait_status('busy', 'state', 'sweeping', 'a long sweep');
$node->safe_psql('postgres', 'DROP DATABASE busy');
pass('DROP DATABASE while it is swept');
wait_status('busy', 'state', 'no such database', 'the worker notices');
request('shop', 1, -10);
wait_moved('shop', 'others are swept as before');

# kill -9 in the middle of a sweep: what was committed stays, the rest follows.
load('shop', 40_000);
ok($node->poll_query_until('shop', q{SELECT count(*) > 1000 FROM returns.return_request WHERE status = 'approved' AND order_ref LIKE 'l%'}), 'in the middle of a sweep');
my $visitor = $node->safe_psql('postgres', q{SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE backend_type = 'returns sweep'});
kill 'KILL', $visitor if $visitor > 0;
ok($node->poll_query_until('shop', q{SELECT count(*) = 0 FROM returns.return_request WHERE status = 'requested'}), 'all moved in the end');
is($node->safe_psql('shop', q{SELECT count(*), count(DISTINCT order_ref) FROM returns.return_event WHERE order_ref LIKE 'l%' AND to_state = 'approved'}),
	'40000|40000', 'each once');

# ------------------------------------------------------------ what it finds is broken
$node->safe_psql('shop', 'ALTER TABLE returns.return_request DISABLE TRIGGER zz_returns_request');
wait_status('shop', 'state', 'failed', 'rules that do not fire are not gone around');
like(status('shop', 'last_error'), qr/zz_returns_request/, 'it says so');
$node->safe_psql('shop', 'ALTER TABLE returns.return_request ENABLE TRIGGER zz_returns_request');
wait_status('shop', 'state', 'waiting', 'mended');
$offset = -s $node->logfile;
$node->safe_psql('shop', 'SET client_min_messages = error; DROP EXTENSION returns CASCADE');
wait_status('shop', 'state', 'not set up', 'the extension is dropped');
sleep 2;
unlike(slurp_file($node->logfile, $offset), qr/ERROR|FATAL/, 'which fills no log');
$node->safe_psql('shop', "CREATE EXTENSION returns; CALL returns.setup()");
wait_status('shop', 'state', 'waiting', 'and is there again');

# ------------------------------------------------------------ a standby
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
request('shop', 3, 8);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'returns launcher'}), '0',
	'no launcher on a standby');
isnt($standby->psql('shop', 'SELECT returns.run_deadlines()'), 0, 'nor can a standby be swept by hand');
$node->stop('immediate');
$standby->promote;
ok($standby->poll_query_until('shop', q{SELECT count(*) = 0 FROM returns.return_request WHERE status = 'requested'}),
	'once promoted, it sweeps');
is($standby->safe_psql('shop', q{SELECT count(*) FROM returns.return_event WHERE to_state = 'approved' GROUP BY return_id HAVING count(*) > 1}), '', 'each once');
$standby->stop;

done_testing();
