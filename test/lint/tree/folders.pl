#!/usr/bin/perl
#
# The README's table of folders ("Where things are") and the tree have the same
# folders.  The first cell of a row has paths.  Folders inside these, or beside
# them, may be named without the common part, in any cell.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

my %named;
my @rows = table_rows('README.md', 'folder');

print "README.md: there is no table of folders\n" unless @rows;
foreach my $row (@rows)
{
	my @bases = ('');

	foreach my $code ($row->[0] =~ /`([^`]+)`/g)
	{
		my ($path) = grep { -d } map { $_ . $code =~ s{/$}{}r } @bases;

		if (!defined $path)
		{
			print "README.md: the table of folders has $code, which is not there\n";
			next;
		}
		$named{$path} = 1;
		push @bases, "$path/", $path =~ m{^(.*/)} ? $1 : ();
	}
	foreach my $code (join(' ', @$row[ 1 .. $#$row ]) =~ /`([^`]+)`/g)
	{
		$named{$_} = 1 foreach grep { -d } map { $_ . $code =~ s{/$}{}r } @bases;
	}
}
foreach my $folder (qw(test expected doc), map { find_folders($_) } 'src', find_folders('src'), 'sql')
{
	next unless find_files($folder, qr/\.(?:[ch]|sql|md|out)$/);
	print "README.md: the table of folders does not have $folder\n" unless $named{$folder};
}
