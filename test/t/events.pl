# A reader follows the stream of events beside many writers. It gets every
# committed event once, and the events of one return in order, in any order of
# commits. It continues in a restored copy in another cluster.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;
use Time::HiRes qw(usleep time);

my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('events', "log_statement = none\nautovacuum = off\nmax_prepared_transactions = 2\n");
set_up_database($node, 'postgres');
$node->safe_psql('postgres', $session . q{SELECT sell('o-' || n) FROM generate_series(1, 400) AS n});

# ------------------------------------------------------------------ a reader
my ($cursor, %seen, %last, @wrong);

# Take a page from a session; returns how many events there were.
sub take_page
{
	my ($reader, $max) = @_;
	my $n = 0;
	my $page = $reader->query(
		'SELECT cursor, epoch, return_id, seq FROM returns.events_after(' . (defined $cursor ? "'$cursor'" : 'NULL') . ", $max)");

	foreach my $line (split /\n/, $page)
	{
		my ($c, $epoch, $id, $seq) = split /\|/, $line;

		push @wrong, "event $seq of return $id came twice" if $seen{"$id.$seq"}++;
		push @wrong, "event $seq of return $id came after " . ($last{$id} // 0) if $seq != ($last{$id} // 0) + 1;
		$last{$id} = $seq;
		$cursor = $c;
		$n++;
	}
	return $n;
}

# The reader has the events of the table, each once and in order.
sub check_complete
{
	my ($node, $why) = @_;
	my $stored = $node->safe_psql('postgres', q{SELECT return_id || '.' || seq FROM returns.return_event ORDER BY return_id, seq});
	my $read = join("\n", map { $_->[0] } sort { $a->[1] <=> $b->[1] || $a->[2] <=> $b->[2] } map { [ $_, split /\./ ] } keys %seen);

	ok($stored eq $read, "$why, the reader has all " . scalar(keys %seen) . ' events');
	is(join(', ', @wrong), '', "$why, the reader has each event once and in order");
	return;
}

sub open_reader
{
	my ($node) = @_;
	my $reader = $node->background_psql('postgres', on_error_stop => 0);

	$reader->query("SET returns.actor = 'operator:reader'");
	return $reader;
}

# ------------------------------------- writers that commit in any order
# A transaction takes its id first, waits, moves some returns that others want
# too, and commits or not. Returns are locked in the order of their numbers.
append_to_file("$dir/write.sql", q{
\set n random(1, 360)
\set wait random(0, 20)
\set end random(1, 10)
SET returns.actor = 'operator:test';
SET returns.clock = '2026-03-10 12:00+05';
BEGIN;
SELECT pg_current_xact_id();
\sleep :wait ms
INSERT INTO returns.return_request (order_ref, reason) SELECT 'o-' || :n, 'defective' WHERE :end > 8;
SAVEPOINT s;
UPDATE returns.return_request SET status = 'approved' WHERE order_ref = 'o-' || (:n + 7) AND status = 'requested';
ROLLBACK TO s;
UPDATE returns.return_request r SET note = 'n', tracking_ref = 't', status = CASE status WHEN 'requested' THEN 'rejected'
	WHEN 'approved' THEN 'in_transit' WHEN 'in_transit' THEN 'outcome_disputed' WHEN 'request_disputed' THEN 'approved' ELSE status END
  FROM (SELECT id FROM returns.return_request WHERE order_ref IN ('o-' || :n, 'o-' || (:n + 1), 'o-' || (:n + 13)) ORDER BY id FOR UPDATE) o
 WHERE r.id = o.id AND status IN ('requested', 'approved', 'in_transit', 'request_disputed');
\sleep :wait ms
\if :end = 1
ROLLBACK;
\else
COMMIT;
\endif
});
append_to_file("$dir/ask.sql", q{
\set n random(1, 380)
SET returns.actor = 'operator:test';
SET returns.clock = '2026-03-10 12:00+05';
SELECT ask('o-' || :n) FROM returns.sale_line WHERE order_ref = 'o-' || :n AND reserved + returned < quantity;
SET returns.actor = 'buyer:b';
UPDATE returns.return_request SET status = 'request_disputed', note = 'no' WHERE order_ref = 'o-' || (:n / 2) AND status = 'rejected';
});

my $said = '';
my $load = IPC::Run::start(
	[ 'pgbench', '-n', '-T', '12', '-c', '6', '-j', '1', '--max-tries=100', '-f', "$dir/write.sql\@3", '-f', "$dir/ask.sql\@1",
		'-h', $node->host, '-p', $node->port, 'postgres' ],
	'>', \$said, '2>&1');
my $reader = open_reader($node);
my $long = $node->background_psql('postgres', on_error_stop => 0);
my ($polls, $gained) = (0, 0);
my $start = time;

$long->query($session);
while ($load->pumpable && time - $start < 120)
{
	$load->pump_nb;
	if ($polls % 100 == 30)
	{
		$long->query(q{BEGIN});
		$long->query(q{SELECT take(ask('o-391'), 'approved', 'cancelled')});
	}
	$long->query($polls % 200 < 100 ? 'COMMIT' : 'ROLLBACK') if $polls % 100 == 80;
	$gained++ if take_page($reader, 1 + int(rand(40)));
	$polls++;
	usleep(5000);
}
$load->finish;
$long->query('ROLLBACK');
unlike($said, qr/ERROR|aborted/, 'the writers have no errors while the stream is read') or diag($said);
cmp_ok($gained, '>', 50, "the reader gets events beside the writers: $gained times of $polls");
1 while take_page($reader, 1000);
check_complete($node, 'after reading beside the writers');
my $turned = $node->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT e.xid, e.seq, e.return_id, lag(xid) OVER (PARTITION BY return_id ORDER BY seq) AS before,
		(SELECT count(*) FROM returns.return_event o WHERE o.xid = e.xid) FROM returns.return_event e) e WHERE xid = before AND seq > 2});
cmp_ok($turned, '>', 0, "transactions came to a return in another order than they had begun: $turned events");

# ------------------------------------------- a long transaction delays it
$long->query(q{BEGIN; SELECT take(ask('o-392'), 'approved')});
$node->safe_psql('postgres', $session . q{SELECT take(ask('o-393'), 'approved', 'received')});
is(take_page($reader, 1000), 0, 'events_after() gives nothing while an older transaction is open');
$long->query('COMMIT');
is(take_page($reader, 1000), 7, 'events_after() gives the events of both transactions after the older one ends');
$long->query(q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM returns.return_event});
$node->safe_psql('postgres', $session . q{SELECT take(ask('o-394'), 'approved')});
is(take_page($reader, 1000), 3, 'a transaction that only reads does not hold up events');
$long->query('COMMIT');
$node->safe_psql('postgres', $session . q{BEGIN; SELECT take(ask('o-395'), 'approved'); PREPARE TRANSACTION 'p'});
$node->safe_psql('postgres', $session . q{SELECT take(ask('o-398'), 'approved')});
is(take_page($reader, 1000), 0, 'a prepared transaction holds up events');
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
is(take_page($reader, 1000), 6, 'events_after() gives the held events after the prepared transaction is committed');
check_complete($node, 'after a long transaction');

# A party without visible returns gets no event; a role without rights is
# refused.
$node->safe_psql('postgres', q{CREATE ROLE stranger LOGIN; GRANT USAGE ON SCHEMA returns TO stranger});
my ($ret, $out, $err) = $node->psql('postgres', q{SET ROLE stranger; SELECT count(*) FROM returns.events_after(NULL, 10)});
like($err, qr/permission denied for table return_event/, 'events_after() refuses a role without rights on return_event');
is($node->safe_psql('postgres', q{GRANT SELECT ON returns.return_event, returns.return_request TO stranger; SET ROLE stranger;
	SET returns.actor = 'operator:x'; SELECT count(*) FROM returns.events_after(NULL, 10)}), '0', 'events_after() gives nothing to a role without a grant for its actor');

# ------------------------------------------------------- another cluster
# The dump holds events that the reader has not got yet.
$node->safe_psql('postgres', $session . q{SELECT take(ask('o-396'), 'approved')});
$reader->quit;
$long->quit;
command_ok([ 'pg_dump', '-Fc', '-f', "$dir/events.dump", '-d', $node->connstr('postgres') ], 'pg_dump of the events succeeds');
$node->stop;

my $copy = $node;
foreach my $life (2, 3)
{
	my $next = new_node("life_$life", "log_statement = none\nautovacuum = off\nmax_prepared_transactions = 2\n");

	$next->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
	command_ok([ 'pg_restore', '-e', '-d', $next->connstr('postgres'), "$dir/events.dump" ], "life $life: pg_restore into another cluster succeeds");
	$reader = open_reader($next);
	cmp_ok($next->safe_psql('postgres', 'SELECT max(xid)::text::bigint - pg_current_xact_id()::text::bigint FROM returns.return_event'),
		'>', 0, "life $life: transaction ids are behind those of the events");
	is(take_page($reader, 1000), 3, "life $life: events not read before the dump come before the first write");
	is(take_page($reader, 1000), 0, "life $life: no event comes twice before the first write");

	# the first write opens the epoch, and does not block another session
	my $first = $next->background_psql('postgres', on_error_stop => 0);
	$first->query($session . qq{BEGIN; SELECT take(ask(sell('first-$life')), 'approved')});
	is(take_page($reader, 1000), 0, "life $life: the first write gives no event before its commit");
	$first->query('COMMIT');
	is(take_page($reader, 2), 2, "life $life: the first write gives events after its commit");
	is(take_page($reader, 1000), 1, "life $life: the first write gives all its events");
	$next->safe_psql('postgres', $session . qq{
		SELECT take(id, 'received') FROM returns.return_request WHERE order_ref IN ('o-396', 'first-$life', 'o-397') AND status = 'approved'});
	cmp_ok(take_page($reader, 1000), '>=', 2, "life $life: later writes of old and new returns give events");
	check_complete($next, "in life $life");
	is($next->safe_psql('postgres', q{SELECT epoch FROM returns.installation}), $life, "life $life: the epoch has the number of the life");
	is($next->safe_psql('postgres', q{SELECT * FROM returns.verify()}), '', "life $life: verify() finds nothing");

	# a reader that starts at the beginning gets the same
	my %all = %seen;
	($cursor, %seen, %last) = (undef);
	1 while take_page($reader, 777);
	is(join(' ', sort keys %seen), join(' ', sort keys %all), "life $life: a reader from the beginning gets the same events");

	$next->safe_psql('postgres', $session . q{SELECT take(ask('o-397'), 'approved')});
	$first->quit;
	$reader->quit;
	command_ok([ 'pg_dump', '-Fc', '-f', "$dir/events.dump", '-d', $next->connstr('postgres') ], "life $life: pg_dump succeeds");
	$next->stop;
}

done_testing();
