#!/usr/bin/perl
#
# typedefs.list, which names the types for the indenter: it has every type that
# src defines, is sorted, and has no type that src does not use.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

my @listed = read_lines('typedefs.list');
my %listed = map { $_ => 1 } @listed;
my %used;

foreach my $file (find_files('src', qr/\.[ch]$/))
{
	my $text = read_text($file);
	my @defined = (
		$text =~ /^typedef\s+(?:struct|union|enum)\b[^;{]*\n\{.*?^\}\s*(\w+);/gms,
		$text =~ /^typedef\b[^{;]*?(\w+);/gm,
		$text =~ /^typedef\b[^{;]*?\(\*(\w+)\)\s*\(/gm);

	$used{$_} = 1 foreach $text =~ /\b([A-Za-z_]\w*)\b/g;
	foreach my $type (@defined)
	{
		print "typedefs.list does not have $type of $file\n" unless $listed{$type};
	}
}
foreach my $i (0 .. $#listed)
{
	print "typedefs.list has $listed[$i], which src does not use\n" unless $used{ $listed[$i] };
	print "typedefs.list: $listed[$i] is not in order (LC_ALL=C sort -u)\n"
		if $i > 0 && $listed[$i] le $listed[ $i - 1 ];
}
