#!/usr/bin/perl
#
# The README's table of settings and the running server: name, who may set it,
# default with its unit.  Every setting has a description.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

my %who = (user => 'session', superuser => 'superuser', sighup => 'server',
	postmaster => 'server start');
my %listed;

foreach my $row (table_rows('README.md', 'setting'))
{
	my ($name, $who, $default) = map { ($_ // '') =~ s/`//gr } @$row[ 0 .. 2 ];

	$listed{$name} = [ $who, $default ];
}

foreach my $row (query(<<'SQL'))
SET client_min_messages = warning;
LOAD 'returns';
SELECT name, context, boot_val, coalesce(unit, ''), coalesce(short_desc, '')
  FROM pg_catalog.pg_settings WHERE name LIKE 'returns.%' ORDER BY name;
SQL
{
	my ($name, $context, $boot, $unit, $description) = @$row;
	my $default = length $boot ? "$boot $unit" =~ s/ $//r : 'empty';
	my $listed = delete $listed{$name};

	print "$name: no description\n" unless length $description;
	if (!$listed)
	{
		print "README.md: the table of settings does not have $name\n";
		next;
	}
	print "README.md: $name has \"$listed->[0]\" for who sets it, the server \"$who{$context}\"\n"
		if $listed->[0] ne $who{$context};
	print "README.md: has the default \"$listed->[1]\" for $name, the server \"$default\"\n"
		if $listed->[1] ne $default;
}
print "README.md: there is no setting $_\n" foreach sort keys %listed;
