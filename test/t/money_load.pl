# Several sessions work on the same orders at the same time. The rules hold, and
# only deadlocks may make an operation fail. Sessions that lock the return first,
# as the manual says, have none.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;

my $sessions = 4;
my $each = $ENV{RETURNS_PROPERTY_LIVES} // 60;
my $node = new_node('money_load', "deadlock_timeout = 100ms\nsynchronous_commit = off\n");
my @life = map { ('-c', $_) } (
	'SET client_min_messages = warning', "SET returns.actor = 'operator:life'",
	"SET returns.clock = '2026-03-02 10:00+00'", "CALL life.live($each, false)");

# Run the lives of these files in a database of its own; returns the share of
# steps that deadlocked.
sub live
{
	my ($db, @files) = @_;
	my @lives;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	set_up_database($node, $db);
	$node->safe_psql($db, join '', 'SET client_min_messages = warning;',
		map { slurp_file("$FindBin::Bin/../harness/$_.sql") } @files);
	for my $n (1 .. $sessions)
	{
		my $said = '';
		my $handle = IPC::Run::start(
			[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), @life ],
			'<', \undef, '>', \$said, '2>', \$said);
		push @lives, [ $handle, \$said ];
	}
	for my $life (@lives)
	{
		$life->[0]->finish;
		is($life->[0]->result(0), 0, "$db: a session of lives ends without an error") or diag(${ $life->[1] });
	}
	note($node->safe_psql($db, q{
		SELECT op || ': ' || string_agg(code || ' ' || times, ', ' ORDER BY times DESC)
		FROM (SELECT op, code, count(*) AS times FROM life.outcome GROUP BY 1, 2) o GROUP BY op ORDER BY op}));
	is($node->safe_psql($db, q{SELECT count(*) FROM life.outcome WHERE op = 'open' AND code = 'ok'}), $sessions * $each, "$db: every session opened all its returns");
	is($node->safe_psql($db, 'SELECT op, what FROM life.wrong LIMIT 20'), '', "$db: no operation failed without a rule");
	is($node->safe_psql($db, 'SELECT * FROM returns.verify()'), '', "$db: verify() finds nothing after the lives");
	return $node->safe_psql($db, q{SELECT 1.0 * count(*) FILTER (WHERE code = '40P01') / count(*) FROM life.outcome});
}

cmp_ok(live('many', 'lives'), '<', 0.05, 'few operations end in a deadlock');
cmp_ok(live('few', 'lives', 'crowd'), '==', 0, 'sessions that lock the return first have no deadlock');
$node->stop;
done_testing();
