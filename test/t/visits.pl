# The background worker in several databases at once: databases are copied,
# renamed and closed, processes are killed, returns cannot move, settings and roles
# change, and a standby is promoted during a sweep.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('visits');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
jit = off
timezone = 'UTC'
log_statement = none
restart_after_crash = on
max_worker_processes = 12
shared_preload_libraries = 'returns'
returns.naptime = 1
});
$node->start;

# Load n returns as history; the term of their sellers ends now.
sub load
{
	my ($database, $prefix, $n, $seller) = @_;
	$seller //= 's';
	$node->safe_psql($database, qq{
		BEGIN;
		ALTER TABLE returns.return_request DISABLE TRIGGER USER;
		INSERT INTO returns.return_request (order_ref, status, reason, due_at, wake_at, on_timeout, buyer_ref, seller_ref,
			market, currency)
		SELECT '$prefix' || i, 'requested', 'changed_mind', t, t, 'approved', 'b', '$seller', 'kz', 'KZT'
		FROM (SELECT i, now() + i * interval '1 us' AS t FROM generate_series(1, $n) i) v;
		ALTER TABLE returns.return_request ENABLE TRIGGER USER;
		COMMIT;
	});
}

sub status
{
	my ($database, $columns) = @_;
	return $node->safe_psql('postgres', "SELECT $columns FROM returns.worker_status() WHERE database = '$database'");
}

sub wait_status
{
	my ($database, $columns, $expected, $name) = @_;
	ok($node->poll_query_until('postgres',
		"SELECT $columns FROM returns.worker_status() WHERE database = '$database'", $expected), $name)
	  or diag(status($database, '*'));
}

# Wait until each of these returns has moved once.
sub wait_moved
{
	my ($on, $database, $prefix, $n, $name) = @_;
	ok($on->poll_query_until($database, qq{SELECT count(*) = 0 FROM returns.return_request
		WHERE status = 'requested' AND order_ref LIKE '$prefix%'}), $name) or diag(status($database, '*'));
	is($on->safe_psql($database, qq{SELECT count(*), count(DISTINCT return_id) FROM returns.return_event
		WHERE to_state = 'approved' AND order_ref LIKE '$prefix%'}), "$n|$n", "$name, each return once");
}

# Wait until a sweep has moved some of these returns; returns its process id.
sub wait_middle
{
	my ($database, $prefix) = @_;
	$node->poll_query_until($database, qq{SELECT count(*) > 500 FROM returns.return_request
		WHERE status = 'approved' AND order_ref LIKE '$prefix%'}) or die 'no sweep';
	foreach my $try (1 .. 500)
	{
		my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'returns sweep' AND datname = '} . $database . q{' LIMIT 1});

		return $pid if $pid;
	}
	die 'no sweep is running';
}

sub set_option
{
	my ($name, $value) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = $value");
	$node->reload;
}

# ------------------------------------------------------------ several databases
$node->safe_psql('postgres', 'CREATE EXTENSION returns');
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(one two three);
set_up_database($node, $_) foreach qw(one two three);
load($_, 'a', 3000) foreach qw(one two three);
set_option('returns.database', "'one, two, three, four'");
wait_moved($node, $_, 'a', 3000, "the worker sweeps database $_ of several") foreach qw(one two three);
wait_status($_, "state || ' ' || moved", 'waiting 3000', "worker_status() counts the moves of database $_") foreach qw(one two three);
wait_status('four', "state || coalesce(pid::text, '') || moved", 'no such database0', 'a database that does not exist is reported and does not stop the others');
is($node->safe_psql('postgres', q{GRANT USAGE ON SCHEMA returns TO pg_monitor, pg_read_all_data; SET ROLE pg_monitor; SELECT count(*) FROM returns.worker_status()}), '4', 'pg_monitor may read worker_status()');
isnt($node->psql('postgres', q{SET ROLE pg_read_all_data; SELECT count(*) FROM returns.worker_status()}), 0, 'a role without pg_monitor may not read worker_status()');

# ------------------------------------------------------------ no connections
$node->safe_psql('postgres', 'ALTER DATABASE two ALLOW_CONNECTIONS false');
wait_status('two', 'state', 'no connections allowed', 'worker_status() reports a database that allows no connections');
my $log = -s $node->logfile;
sleep 2;
unlike(slurp_file($node->logfile, $log), qr/FATAL|ERROR|WARNING/, 'a database that allows no connections fills no log');
$node->safe_psql('postgres', 'ALTER DATABASE two ALLOW_CONNECTIONS true CONNECTION LIMIT 0');
load('two', 'b', 5);
wait_moved($node, 'two', 'b', 5, 'the worker sweeps a database with a connection limit of 0');
$node->safe_psql('postgres', 'ALTER DATABASE two CONNECTION LIMIT -1');

# ------------------------------------------------------------ copied and renamed during a sweep
set_option('returns.batch', 20);
slow_down($node, 'one');
load('one', 'c', 10_000);
wait_middle('one', 'c');
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'returns sweep'
	AND datname = 'one' AND application_name = 'returns sweep of one' AND state = 'active' AND query = 'sweep of returns that are due'}),
	'pg_stat_activity shows the sweep of a database');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM returns.worker_status() w JOIN pg_stat_activity a USING (pid)
	WHERE w.database = 'one' AND w.state = 'sweeping' AND a.backend_type = 'returns sweep'}), 'worker_status() shows the process of a sweep');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE one');
cmp_ok($node->safe_psql('copy', q{SELECT count(*) FROM returns.return_request WHERE status = 'requested'}), '>', 0,
	'a database can be copied while it is swept');
$node->safe_psql('postgres', 'ALTER DATABASE one RENAME TO uno');
pass('a database can be renamed while it is swept');
wait_status('one', 'state', 'no such database', 'worker_status() reports that a renamed database does not exist');
set_option('returns.database', "'uno, two, three, copy'");
speed_up($node, $_) foreach qw(uno copy);
wait_moved($node, 'uno', 'c', 10_000, 'a renamed database is swept under its new name');
wait_moved($node, 'copy', 'c', 10_000, 'a copied database is swept by itself');
set_option('returns.database', "'uno, two, three'");
$node->safe_psql('postgres', 'DROP DATABASE copy');
is(status('copy', 'count(*)'), '0', 'worker_status() does not show a database that is not listed');

# ------------------------------------------------------------ returns that can be neither moved nor put off
# Each takes some time, and all together take far longer than a visit.
$node->safe_psql('two', q{
	CREATE FUNCTION public.frozen() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF OLD.seller_ref = 'frozen' THEN
			PERFORM pg_sleep(0.01);
			RAISE EXCEPTION 'account frozen';
		END IF;
		RETURN NEW;
	END $$;
	CREATE TRIGGER frozen BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.frozen();
});
set_option('returns.batch', 50);    # a second and a half
load('two', 'x', 150, 'frozen');
load('two', 'y', 100);
wait_moved($node, 'two', 'y', 100, 'returns behind many that cannot move are swept');
like(slurp_file($node->logfile), qr/WARNING:  return \d+ is due but can neither be moved nor put off: account frozen/, 'a return that can neither move nor be put off is a warning in the log');
my $before = status('two', 'last_run');
$log = -s $node->logfile;
sleep 5;
my $warnings = () = slurp_file($node->logfile, $log) =~ /account frozen/g;
cmp_ok($warnings, '<=', 3, 'returns that can neither move nor be put off are not tried all the time');

# A sweep ends when it is terminated, also while it waits.
$node->safe_psql('two', 'VACUUM returns.return_request');
set_option('returns.database', "''");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM returns.worker_status()'), 'worker_status() is empty without listed databases');
set_option('returns.database', "'uno, two, three'");
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'returns sweep' AND datname = 'two' AND wait_event = 'PgSleep'}), 'the worker tries the returns that cannot move');
ok($node->poll_query_until('postgres', q{SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE backend_type = 'returns sweep' AND datname = 'two'}),
	'a sweep ends when it is terminated');
$node->safe_psql('two', q{DROP TRIGGER frozen ON returns.return_request});
wait_moved($node, 'two', 'x', 150, 'returns that could not move are swept after the cause is removed');
set_option('returns.batch', 100);

# ------------------------------------------------------------ the clock, and a database that is read-only
load('three', 'd', 10);
wait_moved($node, 'three', 'd', 10, 'returns are swept at the true time');
my $due = $node->safe_psql('three', q{SELECT count(*) FROM returns.return_request WHERE status = 'approved' AND due_at > now()});
cmp_ok($due, '>', 3000, 'the approved returns have a deadline in the future');
$node->safe_psql('postgres', q{ALTER DATABASE three SET returns.clock = '} . $node->safe_psql('three', q{SELECT min(due_at) - interval '1 us' FROM returns.return_request WHERE status = 'approved'}) . q{'});
$before = status('three', 'last_run');
wait_status('three', "last_run > '$before'", 't', 'the worker visits a database whose clock is a microsecond before the deadline');
$before = status('three', 'last_run');
wait_status('three', "last_run > '$before'", 't', 'the worker visits a database with a set clock again');
is($node->safe_psql('three', q{SELECT count(*) FROM returns.return_request WHERE status = 'expired'}), '0', 'no return moves a microsecond before its deadline');
$node->safe_psql('postgres', q{ALTER DATABASE three SET default_transaction_read_only = on});
wait_status('three', "state || ': ' || last_error", 'failed: cannot execute returns.sweep() in a read-only transaction', 'worker_status() reports the failed sweep of a read-only database');
$node->safe_psql('postgres', q{ALTER DATABASE three RESET default_transaction_read_only});
wait_status('three', 'state', 'waiting', 'the worker sweeps a database that is no longer read-only');
$node->safe_psql('postgres', q{ALTER DATABASE three SET returns.clock = '} . $node->safe_psql('three', q{SELECT max(due_at) FROM returns.return_request}) . q{'});
ok($node->poll_query_until('three', qq{SELECT count(*) = $due FROM returns.return_request WHERE status = 'expired'}), 'all returns move when the clock of the database is at the deadline');
$node->safe_psql('postgres', q{ALTER DATABASE three RESET returns.clock});
load('three', 'e', 10);
wait_moved($node, 'three', 'e', 10, 'new returns are swept after the clock is set back');

# ------------------------------------------------------------ roles
$node->safe_psql('two', q{
	CREATE ROLE keeper;
	CREATE ROLE desk;
	INSERT INTO returns.actor_grant (db_role, actor) VALUES ('desk', 'operator');
	ALTER SCHEMA returns OWNER TO keeper;
	SELECT format('ALTER TABLE returns.%I OWNER TO keeper', relname) FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r' \gexec
	SELECT format('ALTER VIEW returns.%I OWNER TO keeper', relname) FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'v' \gexec
});
load('two', 'f', 5);
wait_moved($node, 'two', 'f', 5, 'a database whose tables have another owner is swept');
$node->safe_psql('two', 'REASSIGN OWNED BY keeper TO CURRENT_USER; DROP ROLE keeper; DROP ROLE desk');
load('two', 'g', 5);
wait_moved($node, 'two', 'g', 5, 'a database is swept after owner and grantee are dropped');
my $root = $node->safe_psql('two', 'SELECT current_user');
$node->safe_psql('postgres', q{CREATE ROLE other SUPERUSER LOGIN});
$node->safe_psql('two', qq{SET SESSION AUTHORIZATION other; ALTER ROLE "$root" RENAME TO renamed; ALTER ROLE renamed NOLOGIN});
is($node->safe_psql('two', q{SELECT 1}, extra_params => [ '-U', 'other' ]), '1', 'the first superuser can be renamed and lose its login');
my $moved = q{SELECT count(*) = 0 FROM returns.return_request WHERE status = 'requested'};
$node->safe_psql('two', q{
	BEGIN;
	ALTER TABLE returns.return_request DISABLE TRIGGER USER;
	UPDATE returns.return_request SET status = 'requested', on_timeout = 'approved', due_at = now(), wake_at = now() WHERE order_ref LIKE 'g%';
	ALTER TABLE returns.return_request ENABLE TRIGGER USER;
	COMMIT}, extra_params => [ '-U', 'other' ]);
my $gone = 0;
foreach my $try (1 .. 300)
{
	last if $gone = $node->safe_psql('two', $moved, extra_params => [ '-U', 'other' ]) eq 't';
	sleep 0.1;
}
ok($gone, 'the worker sweeps without a login of the first superuser');
$node->safe_psql('two', qq{ALTER ROLE renamed RENAME TO "$root"; ALTER ROLE "$root" LOGIN}, extra_params => [ '-U', 'other' ]);

# ------------------------------------------------------------ too many databases and processes
$log = -s $node->logfile;
set_option('returns.database', "'three, " . join(', ', map { "none_$_" } 1 .. 70) . "'");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 64 FROM returns.worker_status()}), 'worker_status() shows at most 64 databases');
sleep 4;
$warnings = () = slurp_file($node->logfile, $log) =~ /is not swept: returns.database names more than 64/g;
is($warnings, 7, 'the log has one warning for each database beyond 64');
load('three', 'h', 5);
wait_moved($node, 'three', 'h', 5, 'a database among the first 64 is swept');
$node->append_conf('postgresql.conf', 'max_worker_processes = 2');    # the launcher, and that of logical replication
set_option('returns.database', "'uno, two, three'");
$log = -s $node->logfile;
$node->restart;
wait_status('uno', 'state', 'no free worker process', 'worker_status() reports that no worker process is free');
sleep 3;
$warnings = () = slurp_file($node->logfile, $log) =~ /no background worker process is free to sweep database "uno"/g;
is($warnings, 1, 'the log has one warning that no worker process is free');
$node->append_conf('postgresql.conf', 'max_worker_processes = 12');

# ------------------------------------------------------------ a visit that outlives its launcher
# One batch that takes longer than the restart of the launcher.
$node->restart;
set_option('returns.batch', 4000);
slow_down($node, 'uno');
load('uno', 'orphan', 4000);
$log = -s $node->logfile;
my $busy = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'returns sweep' AND datname = 'uno' AND wait_event = 'PgSleep'};
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($busy) v"), 'a visit with a long batch is in progress');
my $orphan = $node->safe_psql('postgres', q{SELECT pid FROM returns.worker_status() WHERE database = 'uno' AND state = 'sweeping'});
$before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
is($node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE backend_type = 'returns launcher'}), 't', 'the launcher can be terminated during a visit');
wait_status('uno', "last_run > '$before'", 't', 'the new launcher visits a database while the visit of the terminated launcher still runs');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $orphan"), '1', 'a visit outlives its launcher');
wait_moved($node, 'uno', 'orphan', 4000, 'a visit whose launcher was terminated finishes its batch');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $orphan"), 'a visit whose launcher was terminated ends');
speed_up($node, 'uno');
$before = status('uno', 'last_run');
wait_status('uno', "last_run > '$before'", 't', 'the visits go on after a visit has outlived its launcher');
unlike(slurp_file($node->logfile, $log), qr/reinitializing/, 'a visit that outlives its launcher crashes no process');
set_option('returns.batch', 100);

# ------------------------------------------------------------ killed and restarted during a sweep
my $cuts = 0;
foreach my $how ('kill -9 of a sweep', 'kill -9 of the launcher', 'a fast restart', 'an immediate restart', 'kill -9 of the postmaster')
{
	my $prefix = 'cut' . ++$cuts . '-';

	slow_down($node, 'uno');
	load('uno', $prefix, 12_000);
	my $pid = wait_middle('uno', $prefix);
	if ($how =~ /of a sweep|launcher/)
	{
		$log = -s $node->logfile;
		$pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'returns launcher'}) if $how =~ /launcher/;
		ok(kill('KILL', $pid), "$how succeeds");
		$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
		wait_until_back($node) or die 'the server does not come back';
	}
	elsif ($how =~ /postmaster/)
	{
		$node->kill9;
		start_after_kill($node);
	}
	else
	{
		$node->stop($how =~ /fast/ ? 'fast' : 'immediate');
		$node->start;
	}
	cmp_ok($node->safe_psql('uno', qq{SELECT count(*) FROM returns.return_event WHERE order_ref LIKE '$prefix%'}), '>', 0, "some returns have moved before $how");
	speed_up($node, 'uno');
	wait_moved($node, 'uno', $prefix, 12_000, "all returns move after $how");
}

# ------------------------------------------------------------ promoted during a sweep
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = on');
$standby->start;
my $stream = q{SET returns.actor = 'operator:test'; SELECT count(*), md5(string_agg(return_id || '.' || seq, ' ')) FROM returns.events_after(NULL, 10000000)};
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('uno', $stream), $node->safe_psql('uno', $stream), 'a standby gives the stream of events');
is($standby->safe_psql('uno', q{SELECT count(*) FROM returns.worker_status()}), '0', 'worker_status() is empty on a standby');
is($standby->safe_psql('uno', q{SELECT count(*) = (SELECT count(*) FROM returns.return_request WHERE due_at IS NOT NULL) FROM returns.deadline_board}), 't', 'a standby shows the deadline board');
slow_down($node, 'uno');
load('uno', 'promo', 12_000);
wait_middle('uno', 'promo');
$node->stop('immediate');
$standby->promote;
cmp_ok($standby->safe_psql('uno', q{SELECT count(*) FROM returns.return_event WHERE order_ref LIKE 'promo%'}), '>', 0, 'the standby is promoted in the middle of a sweep');
speed_up($standby, 'uno');
wait_moved($standby, 'uno', 'promo', 12_000, 'a promoted standby sweeps');
is($standby->safe_psql('postgres', q{SELECT string_agg(database, ',' ORDER BY database) FROM returns.worker_status()}), 'three,two,uno', 'a promoted standby lists all databases');
$standby->stop;

done_testing();
