# The server is killed several times while it works. Its data is sound after
# each recovery, and new returns can be opened.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;
use Time::HiRes qw(usleep);

my $node = new_node('crash', "log_statement = none\nrestart_after_crash = on\n");
set_up_database($node, 'postgres');
$node->safe_psql('postgres', $session . q{SELECT sell('o-' || n, 2) FROM generate_series(1, 4000) AS n});

# Whole lives, with each statement in a transaction of its own: an interrupted
# return stays in an intermediate state.
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/life.sql", q{
\set n random(1, 1300) * 3 + :client_id
SET returns.actor = 'operator:test';
SET returns.clock = '2026-03-10 12:00+05';
SELECT coalesce((SELECT max(id) FROM returns.return_request WHERE order_ref = 'o-' || :n), 0) AS had \gset
\if :had = 0
SELECT ask('o-' || :n, 1) AS id \gset
\else
SELECT max(id) AS id FROM returns.return_request WHERE order_ref = 'o-' || :n \gset
\endif
UPDATE returns.return_request SET status = 'approved' WHERE id = :id AND status = 'requested';
UPDATE returns.return_request SET status = 'received' WHERE id = :id AND status = 'approved';
UPDATE returns.return_line l SET received = 1, accepted = 1, deduction = 0.5
  FROM (SELECT * FROM returns.return_request WHERE id = :id AND status = 'received' FOR UPDATE) r
 WHERE l.order_ref = r.order_ref AND l.return_id = r.id;
BEGIN;
UPDATE returns.return_request SET status = 'refund_due' WHERE id = :id AND status = 'received';
UPDATE returns.refund SET status = 'sent' WHERE return_id = :id AND status = 'pending';
COMMIT;
UPDATE returns.refund SET status = 'settled', provider_ref = 'p' || id WHERE return_id = :id AND status = 'sent';
UPDATE returns.refund SET status = 'failed' WHERE return_id = :id AND status = 'settled' AND id % 5 = 0;
});
append_to_file("$dir/sweep.sql", q{
SET returns.clock = '2026-03-30 12:00+05';
SELECT returns.run_deadlines(20);
});

my $said = '';

sub load
{
	my @pgbench = ('pgbench', '-n', '-T', '60', '-c', '3', '-f', "$dir/life.sql\@20", '-f', "$dir/sweep.sql\@1",
		'-h', $node->host, '-p', $node->port, 'postgres');

	return IPC::Run::start(\@pgbench, '>', \$said, '2>&1');
}

my $events = 0;
foreach my $round (1 .. 6)
{
	my $h = load();
	my $how = $round % 2 ? 'the postmaster' : 'a backend';

	usleep(1_500_000 + 200_000 * $round);
	if ($round % 2)
	{
		$node->kill9;
		eval { $h->finish; };
		start_after_kill($node);
	}
	else
	{
		my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity
			WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND query LIKE '%returns%' LIMIT 1});

		my $log = -s $node->logfile;

		kill 'KILL', $pid;
		eval { $h->finish; };
		$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
		wait_until_back($node) or die 'the server does not come back';
	}
	unlike($said, qr/ERROR: /, "round $round: nothing was refused before");
	$said = '';
	is($node->safe_psql('postgres', 'SELECT * FROM returns.verify()'), '', "verify() finds nothing after $how is killed in round $round");
	my $now = $node->safe_psql('postgres', 'SELECT count(*) FROM returns.return_event');
	cmp_ok($now, '>', $events + 50, "the server had written events before round $round: $events, then $now");
	$events = $now;
}
is($node->safe_psql('postgres', $session . q{SELECT take(ask(sell('after')), 'approved', 'received', 'refund_due', 'refunded')}), 'refunded',
	'a new return is refunded after the crashes');
cmp_ok($node->safe_psql('postgres', q{SELECT count(DISTINCT status) FROM returns.return_request}), '>=', 2, 'the crashes left returns in several states');

$node->stop;
done_testing();
