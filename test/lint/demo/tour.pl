#!/usr/bin/perl
#
# The README's tour against the demo, whose output comes on standard input:
#
#	test/run demo | perl test/lint/demo/tour.pl
#
# SQL of the tour is in test/demo.sql, and what it shows the demo has printed.
# Spaces and the ends of lines do not count: the README may wrap a long line.

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

print "README.md: the tour shows nothing\n" unless @blocks;
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
		report(first_wrong($text), 'the demo does not print');
	}
}

sub plain
{
	return ($_[0] // '') =~ s/\s+/ /gr =~ s/^ | $//gr;
}

# The line that the demo does not have, or the first one of lines that do not
# follow each other there.
sub first_wrong
{
	my @lines = grep { /\S/ } split /\n/, $_[0];
	my ($wrong) = grep { index($printed, plain($_)) < 0 } @lines;

	return $wrong // $lines[0];
}

sub report
{
	my ($text, $what) = @_;

	printf "README.md, tour: %s: %s\n", $what, plain($text);
}
