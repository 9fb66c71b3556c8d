# A server of a test with the extension set up, and orders to return.

package ReturnsNode;

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Exporter 'import';
use Time::HiRes qw(usleep);
our @EXPORT = qw(new_node set_up_database start_after_kill wait_until_back slow_down speed_up $session);

# The statements at the start of every session of these tests.
our $session = q{
	SET client_min_messages = warning;
	SET returns.actor = 'operator:test';
	SET returns.clock = '2026-03-10 12:00+05';
};

# sell(order, lines): an order with this number of lines of three units, paid
# by two tenders. take(id, state, …): move a return, as an actor that may.
my $functions = q{
	CREATE FUNCTION public.sell(o text, lines int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
		INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
			amount_paid, commission_rate, currency, purchased_at, delivered_at)
		SELECT o, n, 'b', 's', 'sku', 'books', 'kz', 3, 10, 0.1, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
		  FROM generate_series(1, lines) AS n;
		INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, refund_rank, captured_at)
		SELECT o, n, 'card', 5 * lines, 'KZT', 'psp', n, '2026-03-01 10:00+05' FROM generate_series(1, 2) AS n;
		SELECT o
	$$;
	CREATE FUNCTION public.ask(o text, units int DEFAULT 1) RETURNS bigint LANGUAGE sql AS $$
		SELECT returns.open_return(o, (SELECT jsonb_agg(jsonb_build_object('line_no', line_no, 'quantity', units))
			FROM returns.sale_line WHERE order_ref = o), 'changed_mind')
	$$;
	CREATE FUNCTION public.take(r bigint, VARIADIC path text[]) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		s text;
	BEGIN
		FOREACH s IN ARRAY path LOOP
			IF s = 'refunded' THEN
				UPDATE returns.refund SET status = 'sent' WHERE return_id = r AND status = 'pending';
				UPDATE returns.refund SET status = 'settled', provider_ref = 'p' || id WHERE return_id = r AND status = 'sent';
			ELSE
				PERFORM returns.act(r, s, 'note', '{"carrier":"post","tracking_ref":"t"}');
			END IF;
		END LOOP;
		RETURN (SELECT status FROM returns.return_request WHERE id = r);
	END $$;
};

# A started server; conf are more lines of its configuration.
sub new_node
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', "jit = off\n" . ($conf // ''));
	$node->start;
	return $node;
}

# The extension, its tables, Kazakhstan's rules and the functions above.
sub set_up_database
{
	my ($node, $db) = @_;

	$node->safe_psql($db, "CREATE EXTENSION returns; CALL returns.setup('kz'); $functions");
	return;
}

# The child processes of a killed postmaster hold its shared memory until they
# exit, and this memory protects the data. Its lock files protect nothing any
# more, but they prevent a restart where no process reaps the postmaster.
sub start_after_kill
{
	my ($node) = @_;

	unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';
	foreach my $try (1 .. 300)
	{
		return if $node->start(fail_ok => 1);
		usleep(100_000);
	}
	die 'the server does not start again';
}

# Wait for a server that starts again by itself. Unlike poll_query_until() this
# writes nothing to psql, which exits before it reads if the server refuses the
# connection.
sub wait_until_back
{
	my ($node) = @_;

	foreach my $try (1 .. 300)
	{
		return 1 if IPC::Run::run([ 'psql', '-Xqc', 'SELECT', '-d', $node->connstr('postgres') ], '<', \undef, '>', \my $out, '2>', \my $err);
		usleep(100_000);
	}
	return 0;
}

# Let 10,000 moves take half a minute, so that a test can observe a sweep
# before it ends.
sub slow_down
{
	my ($node, $database) = @_;

	$node->safe_psql($database, q{
		CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.003); RETURN NULL; END $$;
		CREATE TRIGGER dawdle AFTER UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.dawdle()});
}

sub speed_up
{
	my ($node, $database) = @_;

	$node->safe_psql($database, 'DROP FUNCTION public.dawdle() CASCADE');
}

1;
