#!/usr/bin/perl
#
# The database has every `returns.name`, `name()` and `table.column` that README
# and doc mention, and every returns.name of their SQL.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

my $files = qr/^returns\.(?:control|so|c)$/;

my %relation = map { $_->[0] => 1 } query(<<'SQL');
SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'returns'::regnamespace
SQL
my %column = map { $_->[0] => 1 } query(<<'SQL');
SELECT c.relname || '.' || a.attname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'returns'::regnamespace AND NOT a.attisdropped
SQL
my %routine = map { $_->[0] => 1 } query(<<'SQL');
SELECT proname FROM pg_catalog.pg_proc
 WHERE pronamespace IN ('returns'::regnamespace, 'pg_catalog'::regnamespace)
SQL
my %ours = map { $_->[0] => 1 } query(<<'SQL');
SELECT proname FROM pg_catalog.pg_proc WHERE pronamespace = 'returns'::regnamespace
SQL
my %setting = map { $_->[0] => 1 } query(<<'SQL');
SET client_min_messages = warning;
LOAD 'returns';
SELECT name FROM pg_catalog.pg_settings WHERE name LIKE 'returns.%';
SQL

foreach my $file (grep { !/^(?:CONTRIBUTING|test)/ } markdown())
{
	my %wrong;

	foreach my $code (prose_codes($file))
	{
		$wrong{$_} = 1 foreach unknown_qualified($code);
		$wrong{"$1()"} = 1 if $code =~ /^([a-z_]+)\(/ && !$routine{$1};
		$wrong{"$1.$2"} = 1
			if $code =~ /^([a-z_]+)\.([a-z_]+)$/ && $relation{$1} && !$column{"$1.$2"};
	}
	foreach my $block (fenced_blocks(read_text($file)))
	{
		$wrong{$_} = 1 foreach unknown_qualified($block->[1]);
	}
	print "$file: there is no $_\n" foreach sort keys %wrong;
}

# Names returns.x and returns.x.y of a text that are not known.
sub unknown_qualified
{
	my ($text) = @_;
	my @unknown;

	while ($text =~ /\breturns\.([a-z_]+)(?:\.([a-z_]+))?\b/g)
	{
		my ($name, $column) = ($1, $2);

		next if "returns.$name" =~ $files || $setting{"returns.$name"};
		if (!$relation{$name} && !$ours{$name})
		{
			push @unknown, "returns.$name";
		}
		elsif (defined $column && !$column{"$name.$column"})
		{
			push @unknown, "returns.$name.$column";
		}
	}
	return @unknown;
}
