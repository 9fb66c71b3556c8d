#!/usr/bin/perl
#
# The length of functions and files.  A function is recognized by its layout:
# its name and its braces are at the start of a line, in C and in shell scripts.
# Files of tests are not checked.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

my $most_of_function = 50;
my $most_of_file = 505;

my @files = (
	find_files('src', qr/\.(?:[ch]|sh)$/),
	find_files('sql', qr/\.sql$/),
	find_files('test/lint', qr/\.(?:p[lm]|sql)$/),
	grep { -T } 'test/run', map { find_files("test/$_", qr/./) } qw(harness bench orders));

foreach my $file (@files)
{
	my @lines = read_lines($file);

	printf "%s: %d lines, at most %d\n", $file, scalar @lines, $most_of_file
		if @lines > $most_of_file;
	check_functions($file, @lines) unless $file =~ /\.sql$/;
}

# From the line of the name to the closing brace.
sub check_functions
{
	my ($file, @lines) = @_;
	my ($name, $begin, $inside);

	foreach my $n (1 .. @lines)
	{
		my $line = $lines[ $n - 1 ];

		if (!$inside && $line =~ /^(?:sub )?(\w+)(?:\s*\(.*)?$/)
		{
			($name, $begin) = ($1, $n);
		}
		elsif (!$inside && $line =~ /^\{/)
		{
			$inside = defined $name;
		}
		elsif ($inside && $line =~ /^\}/)
		{
			printf "%s:%d: %s has %d lines, at most %d\n", $file, $begin, $name,
				$n - $begin + 1, $most_of_function
				if $n - $begin + 1 > $most_of_function;
			($name, $inside) = ();
		}
	}
}
