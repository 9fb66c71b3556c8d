#!/usr/bin/perl
#
# The README's tour against the demo, whose output comes on standard input:
#
#	test/run demo | perl test/lint/demo/tour.pl
#
# The SQL of the tour is in test/demo.sql, and the demo prints the output that the
# tour shows.  White space is not compared: the README may wrap a long line.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

my $printed = plain(do { local $/; <STDIN> });
my $script = plain(read_text('test/demo.sql'));
my ($tour) = read_text('README.md') =~ /^## A tour\n(.*?)^## /ms
	or die "README.md: there is no tour\n";
my @blocks = fenced_blocks($tour);

print "README.md: the tour has no code block\n" unless @blocks;
foreach my $block (@blocks)
{
	my ($language, $text) = @$block;

	if ($language eq 'sql')
	{
		foreach my $statement (grep { /\S/ } split /;[ \t]*(?:--.*)?\n/, $text)
		{
			report($statement, 'test/demo.sql has no')
				if index($script, plain($statement)) < 0;
		}
	}
	elsif (index($printed, plain($text)) < 0)
	{
		report(first_difference($text), 'the demo does not print');
	}
}

sub plain
{
	return ($_[0] // '') =~ s/\s+/ /gr =~ s/^ | $//gr;
}

# The first line that the demo does not print; the first of all when it prints
# them in another order.
sub first_difference
{
	my @lines = grep { /\S/ } split /\n/, $_[0];
	my ($missing) = grep { index($printed, plain($_)) < 0 } @lines;

	return $missing // $lines[0];
}

sub report
{
	my ($text, $what) = @_;

	printf "README.md, tour: %s: %s\n", $what, plain($text);
}
