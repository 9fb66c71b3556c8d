# Several sessions live on the same orders at once: the rules hold without the
# help of luck, and nothing but a deadlock is an excuse.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;

my $sessions = 4;
my $each = $ENV{RETURNS_PROPERTY_LIVES} // 100;
my $node = new_node('money_load', "deadlock_timeout = 100ms\nsynchronous_commit = off\n");
set_up_database($node, 'postgres');
my $lives = slurp_file("$FindBin::Bin/../harness/lives.sql");
$node->safe_psql('postgres', "SET client_min_messages = warning;\n$lives");

my @life = map { ('-c', $_) } (
	'SET client_min_messages = warning', "SET returns.actor = 'operator:life'",
	"SET returns.clock = '2026-03-02 10:00+00'", "CALL life.live($each, false)");
my @lives;
for my $n (1 .. $sessions)
{
	my $said = '';
	my $handle = IPC::Run::start(
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), @life ],
		'<', \undef, '>', \$said, '2>', \$said);
	push @lives, [ $handle, \$said ];
}
for my $life (@lives)
{
	$life->[0]->finish;
	is($life->[0]->result(0), 0, 'a life ends well') or diag(${ $life->[1] });
}

my $outcome = $node->safe_psql('postgres', q{
	SELECT op || ': ' || string_agg(code || ' ' || times, ', ' ORDER BY times DESC)
	FROM (SELECT op, code, count(*) AS times FROM life.outcome GROUP BY 1, 2) o GROUP BY op ORDER BY op});
note($outcome);
is($node->safe_psql('postgres', q{SELECT count(*) FROM life.outcome WHERE op = 'open' AND code = 'ok'}), $sessions * $each, 'nobody stopped');
is($node->safe_psql('postgres', 'SELECT op, what FROM life.wrong LIMIT 20'), '', 'nothing went wrong');
is($node->safe_psql('postgres', 'SELECT * FROM returns.verify()'), '', 'the audit finds nothing');
is($node->safe_psql('postgres', q{SELECT count(*) * 20 < (SELECT count(*) FROM life.outcome) FROM life.outcome WHERE code = '40P01'}), 't',
	'deadlocks are rare');
$node->stop;
done_testing();
