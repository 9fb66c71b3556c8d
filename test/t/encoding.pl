# Databases with other encodings than UTF-8. The extension can be created in
# all of them, and set up if its labels can be stored.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use ReturnsNode;

my $node = new_node('encoding');

# A database with the name of its encoding.
sub create
{
	my ($encoding) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $encoding ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	return lc $encoding;
}

for my $encoding ('EUC_JP', 'LATIN1', 'KOI8R', 'MULE_INTERNAL')
{
	my $db = create($encoding);
	my $said;

	is($node->psql($db, 'CREATE EXTENSION returns', stderr => \$said), 0, "the extension can be created in a database with encoding $encoding")
		or diag($said);
	$node->psql($db, "\\set VERBOSITY verbose\nCALL returns.setup('kz')", stderr => \$said);
	like($said, qr/ERROR:  0A000: returns cannot be set up in a database with encoding "$encoding".*ENCODING 'UTF8'/s,
		"setup() refuses a database with encoding $encoding");
	is($node->safe_psql($db, q{SELECT count(*) FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind IN ('r', 'v')}),
		0, "a refused setup() leaves no table in encoding $encoding");
}

my $db = create('SQL_ASCII');
set_up_database($node, $db);
is($node->safe_psql($db, "$session SELECT take(ask(sell('A')), 'approved', 'received', 'refund_due', 'refunded')"), 'refunded', 'a return is refunded in a SQL_ASCII database');
is($node->safe_psql($db, q{SELECT label ->> 'ru' = E'\\xd0\\xa7\\xd0\\xb5\\xd1\\x80\\xd0\\xbd\\xd0\\xbe\\xd0\\xb2\\xd0\\xb8\\xd0\\xba'
	FROM returns.state WHERE code = 'draft'}), 't', 'labels in a SQL_ASCII database are the bytes of UTF-8');
is($node->safe_psql($db, 'SELECT * FROM returns.verify()'), '', 'verify() finds nothing in a SQL_ASCII database');
$node->stop;
done_testing();
