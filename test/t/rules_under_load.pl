# The rules change while returns move.
#
# First single edits and moves alternate at random, in sessions that have cached
# the rules: the result of each move is that of the current rules.
# Then movers, a sweeper and an editor run at the same time, and verify() finds
# nothing at the end.
#
# RETURNS_PROPERTY_COUNT=5000 makes more moves, RETURNS_PROPERTY_SEED repeats
# the first part of a run.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;

my $count = $ENV{RETURNS_PROPERTY_COUNT} // 300;
my $seed = $ENV{RETURNS_PROPERTY_SEED} // int(rand(1_000_000));
srand($seed);
note("seed $seed");

my $node = new_node('load');
set_up_database($node, 'postgres');
my $dba = $node->background_psql('postgres', on_error_stop => 0);
$dba->query($session);

# --------------------------------------------------- each move by its rules

# A statement's SQLSTATE, 00000 when it was accepted.
$dba->query(q{
	CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE statement;
		SET CONSTRAINTS ALL IMMEDIATE;
		SET CONSTRAINTS ALL DEFERRED;
		RETURN '00000';
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE;
	END $$});

# The model: the actors that may leave "requested", and whether a note is
# required.
my %edge = (
	approved => { actors => [qw(seller operator system)], note => 0 },
	rejected => { actors => [qw(seller operator)], note => 1 },
	cancelled => { actors => [qw(buyer operator)], note => 0 });
my @kinds = qw(buyer seller operator);
my %ref = (buyer => 'b', seller => 's', operator => 'test');

sub pick { return $_[ rand @_ ]; }

# One edit; the model follows when it is committed.
sub edit
{
	my $to = pick(sort keys %edge);
	my %new = (actors => [ grep { rand() < 0.5 } @kinds ], note => int(rand(2)));
	# the timer leads to "approved": without the system as actor it is unsound
	push @{ $new{actors} }, 'system' if $to eq 'approved' && rand() < 0.7;
	my $sound = @{ $new{actors} } > 0;
	$sound = 0 if $to eq 'approved' && (!grep({ $_ eq 'system' } @{ $new{actors} }) || $new{note});
	my $state = $dba->query(sprintf(
			q{SELECT try('UPDATE returns.transition SET actors = ''{%s}'', requires = ''{%s}''
				WHERE machine = ''return'' AND from_state = ''requested'' AND to_state = ''%s''')},
			join(',', @{ $new{actors} }), $new{note} ? 'note' : '', $to));
	return "edit $to: $state" if $state ne ($sound ? '00000' : 'RT009');
	$edge{$to} = \%new if $sound;
	return;
}

# The returns are opened before the sessions begin, so that the sessions only
# move returns: any other statement could make them process an invalidation of
# the rules.
$dba->query("SET returns.actor = 'buyer:b'; SELECT ask(sell('o-' || n)) FROM generate_series(1, $count) AS n");
$dba->query($session);
my @ids = split /\n/, $dba->query('SELECT id FROM returns.return_request ORDER BY id');

my @sessions = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 4;
# two of them run in one long transaction
my @begin = ('', '', 'BEGIN;', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 \g /dev/null');
foreach my $i (0 .. 3)
{
	$sessions[$i]->query($session);
	$sessions[$i]->query($begin[$i]) if $begin[$i];
}

sub move
{
	my ($n) = @_;
	my $s = pick(0 .. 3);
	my ($kind, $to, $note) = (pick(@kinds), pick(sort keys %edge), int(rand(2)));
	my $expected = '00000';
	$expected = 'RT008' if $edge{$to}{note} && !$note;
	$expected = 'RT002' if !grep { $_ eq $kind } @{ $edge{$to}{actors} };
	my $state = $sessions[$s]->query(sprintf(
			q{SET returns.actor = '%s:%s'; SELECT try('UPDATE returns.return_request SET status = ''%s''%s WHERE id = %s')},
			$kind, $ref{$kind}, $to, $note ? ", note = ''n''" : '', $ids[ $n - 1 ]));
	return if $state eq $expected;
	return "session $s, $kind to $to, note $note: $state, not $expected";
}

my @wrong;
foreach my $n (1 .. $count)
{
	push @wrong, edit() for 1 .. int(rand(3));
	push @wrong, move($n);
}
is_deeply([ grep { defined } @wrong ], [], "$count moves among edits end as the rules of their moment say");
foreach my $i (0 .. 3)
{
	$sessions[$i]->query('COMMIT') if $begin[$i];
	$sessions[$i]->quit;
}
is($node->safe_psql('postgres', 'SELECT * FROM returns.verify()'), '', 'verify() finds nothing after single moves and edits');

# ----------------------------------------------------------------- concurrently

$node->safe_psql('postgres', $session . q{
	CREATE TABLE happened (who text, state text, context text);

	-- A random move of a return that has not ended.
	CREATE FUNCTION try_move() RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		r record;
		target text;
	BEGIN
		PERFORM set_config('returns.actor', 'operator:test', false);
		SELECT id, status INTO r FROM returns.return_request
		 WHERE closed_at IS NULL ORDER BY random() LIMIT 1;
		IF NOT FOUND OR random() < 0.2 THEN
			PERFORM ask(sell('l-' || gen_random_uuid()));
			RETURN '00000';
		END IF;
		IF random() < 0.1 THEN
			PERFORM returns.claim_refunds(3);
			UPDATE returns.refund SET status = 'settled', provider_ref = 'p' || id WHERE status = 'sent' AND random() < 0.8;
			RETURN '00000';
		END IF;
		PERFORM set_config('returns.actor', (ARRAY['buyer:b', 'seller:s', 'carrier:post', 'operator:test'])[1 + floor(random() * 4)::int], false);
		SELECT to_state INTO target FROM returns.allowed_actions(r.id) ORDER BY NOT allowed AND random() < 0.9, random() LIMIT 1;
		PERFORM returns.act(r.id, target, 'note', jsonb_build_object('carrier', 'post', 'tracking_ref', gen_random_uuid(), 'evidence', '[1]'::jsonb));
		RETURN '00000';
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM;
	END $$;

	-- The DBA edits something, sound or not.
	CREATE FUNCTION try_edit(i int) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		what int := floor(random() * 9);
		edge returns.transition := (SELECT t FROM returns.transition t WHERE machine = 'return' ORDER BY random() LIMIT 1);
	BEGIN
		PERFORM set_config('returns.actor', 'operator:test', false);
		CASE what
			WHEN 0, 1 THEN
				UPDATE returns.transition SET actors = CASE WHEN 'operator' = ANY (actors)
					THEN array_remove(actors, 'operator') ELSE actors || 'operator'::text END
				 WHERE machine = 'return' AND from_state = edge.from_state AND to_state = edge.to_state;
			WHEN 2 THEN
				UPDATE returns.stage_deadline SET term = 1 + floor(random() * 9), remind = NULL WHERE state = edge.from_state;
			WHEN 3 THEN
				INSERT INTO returns.state (code, kind) VALUES ('x' || i, 'open');
				INSERT INTO returns.transition (from_state, to_state, actors) VALUES
					(edge.from_state, 'x' || i, '{seller,operator}'), ('x' || i, 'closed', '{operator,system}');
				INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES ('kz', 'x' || i, 1, 'day', 'closed');
			WHEN 4 THEN
				DELETE FROM returns.stage_deadline WHERE state = 'x' || (i - 20);
				DELETE FROM returns.transition WHERE 'x' || (i - 20) IN (from_state, to_state);
				DELETE FROM returns.state WHERE code = 'x' || (i - 20);
			WHEN 5 THEN
				DELETE FROM returns.transition WHERE from_state = edge.from_state AND to_state = edge.to_state AND from_state LIKE 'x%';
				UPDATE returns.transition SET requires = CASE requires WHEN '{}' THEN '{note}'::text[] ELSE '{}' END
				 WHERE from_state = edge.from_state AND to_state = edge.to_state;
			WHEN 6 THEN
				INSERT INTO returns.calendar_day (calendar, day, name) VALUES ('kz', date '2026-03-11' + floor(random() * 15)::int, 'load')
				ON CONFLICT DO NOTHING;
			WHEN 7 THEN
				DELETE FROM returns.calendar_day WHERE name = 'load' AND random() < 0.5;
			WHEN 8 THEN
				PERFORM returns.reschedule();
		END CASE;
		SET CONSTRAINTS ALL IMMEDIATE;
		RETURN '00000';
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM || ' in edit ' || what;
	END $$;

	-- A session that works, with a transaction for each step.
	CREATE PROCEDURE work(who text, times int) LANGUAGE plpgsql AS $$
	DECLARE
		state text;
	BEGIN
		FOR i IN 1 .. times LOOP
			PERFORM set_config('returns.clock', (timestamptz '2026-03-10 12:00+05' + make_interval(mins => i * 8000 / times))::text, false);
			IF who = 'editor' THEN
				state := try_edit(i);
			ELSIF who = 'sweeper' THEN
				state := '00000';
				PERFORM returns.run_deadlines(20);
			ELSE
				state := try_move();
			END IF;
			INSERT INTO happened VALUES (who, left(state, 5), nullif(substr(state, 7), ''));
			COMMIT;
		END LOOP;
	END $$});

my @runs;
foreach my $who (qw(mover1 mover2 editor sweeper))
{
	my ($out, $err) = ('', '');
	my $script = $session . "CALL work('$who', " . ($who eq 'editor' ? 2 * $count : 4 * $count) . ');';

	push @runs, { who => $who, err => \$err,
		handle => IPC::Run::start([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ],
			'<', \$script, '>', \$out, '2>', \$err) };
}
foreach my $run (@runs)
{
	$run->{handle}->finish;
	is($run->{handle}->result(0), 0, "the session $run->{who} ends without an error") or diag(${ $run->{err} });
}
is($node->safe_psql('postgres', q{
	SELECT who, state, count(*), min(context) FROM happened
	 WHERE state <> '00000' AND state NOT LIKE 'RT0%' GROUP BY 1, 2 ORDER BY 1, 2}),
	'', 'no session meets an error other than a refusal');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM happened WHERE who LIKE 'mover%' AND state = '00000'}), '>', $count,
	'many moves succeed beside edits');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM happened WHERE who = 'editor' AND state = '00000'}), '>', $count / 3,
	'many edits succeed beside moves');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM happened WHERE who = 'editor' AND state = 'RT009'}), '>', 0,
	'some unsound edits are refused');
is($node->safe_psql('postgres', 'SELECT * FROM returns.check_workflow()'), '', 'check_workflow() finds nothing after moves and edits');
is($node->safe_psql('postgres', 'SELECT * FROM returns.verify()'), '', 'verify() finds nothing after moves and edits side by side');
note($node->safe_psql('postgres', 'SELECT who, state, count(*) FROM happened GROUP BY 1, 2 ORDER BY 1, 2'));

$dba->quit;
$node->stop;
done_testing();
