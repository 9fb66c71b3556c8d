# A dump contains all rows and objects of the extension and its users, and
# returns move on in the restored database.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;

my $node = new_node('dump');
my $dir = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', 'CREATE DATABASE shop');
set_up_database($node, 'shop');

# ------------------------------------------ returns, and objects of the user
$node->safe_psql('shop', $session . q{
	SELECT take(ask(sell('o-' || n, 2), 1 + n % 2), VARIADIC (ARRAY['approved', 'received', 'refund_due', 'refunded'])[1:n % 5])
	  FROM generate_series(1, 40) AS n;
	UPDATE returns.refund SET status = 'failed' WHERE id % 3 = 0;
	INSERT INTO returns.return_request (order_ref, reason) SELECT sell('draft-' || n), 'defective' FROM generate_series(1, 5) AS n;

	-- columns, also on the table that is written without a plan
	ALTER TABLE returns.return_request ADD COLUMN crm_ref text;
	ALTER TABLE returns.return_event ADD COLUMN seen boolean NOT NULL DEFAULT false;
	UPDATE returns.return_request SET crm_ref = 'crm-' || id;
	CREATE INDEX mine_crm ON returns.return_request (crm_ref);
	ALTER TABLE returns.sale_line ADD CONSTRAINT mine_sku CHECK (sku <> '');
	-- a trigger
	CREATE TABLE public.moved (id bigint, status text);
	CREATE FUNCTION public.note_move() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO public.moved VALUES (new.id, new.status); RETURN NULL; END $$;
	CREATE TRIGGER mine_moved AFTER UPDATE OF status ON returns.return_request FOR EACH ROW
		WHEN (old.status <> new.status) EXECUTE FUNCTION public.note_move();
	-- a role, its rights and its policy
	CREATE ROLE clerk LOGIN;
	GRANT USAGE ON SCHEMA returns TO clerk;
	GRANT SELECT ON returns.return_request TO clerk;
	CREATE POLICY mine_clerk ON returns.return_request FOR SELECT TO clerk USING (order_ref LIKE 'draft-%');
	INSERT INTO returns.actor_grant (db_role, actor, ref) VALUES ('clerk', 'seller', 's');
	-- rules
	UPDATE returns.stage_deadline SET term = 9 WHERE market = 'kz' AND state = 'approved';
	INSERT INTO returns.reason (code, fault, name) VALUES ('too_heavy', 'none', 'Too heavy');
	DELETE FROM returns.calendar_day WHERE calendar = 'kz' AND day = '2027-12-16';
});

# The content of a database, table by table.
sub content
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, q{
		SELECT format('SELECT %L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM returns.%I AS t', relname, relname)
		  FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r' ORDER BY 1 \gexec
	});
}

sub schema
{
	my ($node, $db) = @_;
	my ($out) = run_command([ 'pg_dump', '-s', '-d', $node->connstr($db) ]);

	$out =~ s/^\\(un)?restrict .*$//mg;
	return $out;
}

# The lines that only one of two texts has.
sub differences
{
	my ($old, $new) = @_;
	my %count;

	$count{$_}-- foreach split /\n/, $old;
	$count{$_}++ foreach split /\n/, $new;
	return join("\n", map { ($count{$_} < 0 ? '-' : '+') . $_ } grep { $count{$_} } sort keys %count);
}

my $content = content($node, 'shop');
my $schema = schema($node, 'shop');
like($content, qr/^return_event\|2\d\d\|/m, 'the database to dump has more than 200 events');

# The checks of a copy, in which returns then move on.
sub check_copy
{
	my ($copy, $db, $how) = @_;
	my ($ret, $out, $err);

	is($copy->safe_psql($db, 'SELECT * FROM returns.verify()'), '', "$how: verify() finds nothing in the restored database");
	is(differences($content, content($copy, $db)), '', "$how: every row of every table is restored");
	is(differences($schema, schema($copy, $db)), '', "$how: every object of the extension and of the user is restored");
	is($copy->safe_psql($db, "SELECT count(*) FROM returns.return_request WHERE crm_ref = 'crm-' || id"), '45', "$how: the user's column keeps its values");
	is($copy->safe_psql($db, 'SET ROLE clerk; SELECT count(*) FROM returns.return_request'), '5', "$how: the user's policy of row-level security holds");

	# the past stays protected, and the future is written as before
	$copy->psql($db, $session . q{UPDATE returns.return_event SET note = 'x'}, stderr => \$err);
	like($err, qr/table "return_event" is protected/, "$how: the restored history is protected");
	my $more = $session . q{
		TRUNCATE public.moved;
		SELECT count(take(id, 'received')) FROM returns.return_request WHERE status = 'approved';
		SELECT count(take(id, 'refunded')) FROM returns.return_request WHERE status = 'refund_due';
		SELECT take(ask(sell('new'), 2), 'approved', 'received', 'refund_due', 'refunded');
		SELECT count(*) FROM public.moved m JOIN returns.return_request r USING (id) WHERE r.order_ref = 'new';
		SELECT returns.open_return('draft-1', '[{"line_no":1,"quantity":1}]', 'too_heavy') > 0;
		SELECT count(*) > 0 FROM returns.return_event WHERE seen IS FALSE;
		SET ROLE clerk;
		SET returns.actor = 'seller:s';
		SELECT count(*) FROM returns.return_request WHERE order_ref = 'new';
	};
	is($copy->safe_psql($db, $more), "8\n16\nrefunded\n5\nt\nt\n1", "$how: restored and new returns move");
	is($copy->safe_psql($db, 'SELECT * FROM returns.verify()'), '', "$how: verify() finds nothing after returns have moved");
	$copy->safe_psql($db, "CALL returns.setup('kz')");
	is($copy->safe_psql($db, q{
		SELECT term FROM returns.stage_deadline WHERE market = 'kz' AND state = 'approved';
		SELECT count(*) FROM returns.calendar_day WHERE calendar = 'kz' AND day = '2027-12-16';
	}), "9\n0", "$how: a second setup() keeps edited rules");
	return;
}

# ------------------------------------------------------------------ the copies
command_ok([ 'pg_dump', '-Fc', '-f', "$dir/shop.dump", '-d', $node->connstr('shop') ], 'pg_dump -Fc succeeds');
command_ok([ 'pg_dump', '-f', "$dir/shop.sql", '-d', $node->connstr('shop') ], 'pg_dump in plain format succeeds');
command_ok([ 'pg_dump', '-Fd', '-j', '2', '-f', "$dir/shop.dir", '-d', $node->connstr('shop') ], 'pg_dump -Fd -j 2 succeeds');

$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(custom plain parallel);
command_ok([ 'pg_restore', '-e', '-1', '-d', $node->connstr('custom'), "$dir/shop.dump" ], 'pg_restore in one transaction succeeds');
check_copy($node, 'custom', 'custom');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/shop.sql", '-d', $node->connstr('plain') ], 'psql restores the plain dump');
check_copy($node, 'plain', 'plain');
command_ok([ 'pg_restore', '-e', '-j', '2', '-d', $node->connstr('parallel'), "$dir/shop.dir" ], 'pg_restore -j 2 succeeds');
check_copy($node, 'parallel', 'parallel');

# In another cluster transaction ids begin again.
my $other = new_node('other');
$other->safe_psql('postgres', 'CREATE ROLE clerk LOGIN; CREATE DATABASE shop');
command_ok([ 'pg_restore', '-e', '-d', $other->connstr('shop'), "$dir/shop.dump" ], 'pg_restore into another cluster succeeds');
check_copy($other, 'shop', 'another cluster');
is($other->safe_psql('shop', 'SELECT epoch FROM returns.installation'), '2', 'the first write in another cluster opens an epoch');

# History is loaded with the triggers disabled by the owner, because they
# refuse it. pg_restore enables them again, but none of them ALWAYS. verify()
# finds this, and setup() repairs it.
$node->safe_psql('postgres', 'CREATE DATABASE loaded');
command_ok([ 'pg_restore', '-e', '-s', '-d', $node->connstr('loaded'), "$dir/shop.dump" ], 'pg_restore of the schema alone succeeds');
command_fails([ 'pg_restore', '-e', '-a', '-t', 'return_request', '-d', $node->connstr('loaded'), "$dir/shop.dump" ],
	'pg_restore of data through the triggers is refused');
command_ok([ 'pg_restore', '-e', '-a', '--disable-triggers', '-d', $node->connstr('loaded'), "$dir/shop.dump" ], 'pg_restore of data with disabled triggers succeeds');
my $found = $node->safe_psql('loaded', 'SELECT invariant, count(*) FROM returns.verify() GROUP BY 1');
like($found, qr/^trigger\|\d+$/, 'verify() finds only the changed triggers after a load with disabled triggers');
$node->safe_psql('loaded', 'CALL returns.setup()');
check_copy($node, 'loaded', 'loaded');

$node->stop;
$other->stop;
done_testing();
