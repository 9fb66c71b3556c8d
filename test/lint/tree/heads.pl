#!/usr/bin/perl
#
# The head comment of every C file names the file, states its purpose, and has
# its path; no two headers share a guard.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

my %guards;

foreach my $file (find_files('src', qr/\.[ch]$/))
{
	my ($name) = $file =~ m{([^/]+)$};
	my $text = read_text($file);
	my ($head) = $text =~ m{\A/\*-{60,}\n(.*?)^ \*-{60,}\n \*/\n}ms;

	if (!defined $head)
	{
		print "$file: does not begin with a head comment\n";
		next;
	}
	my ($path) = $head =~ /^ \* (src\/\S+)$/m;
	print "$file: the head comment does not begin with the name and a purpose\n"
		unless $head =~ /\A \*\n \* \Q$name\E\n \*\t\t\S/;
	if (!defined $path)
	{
		print "$file: the head comment has no line with the path\n";
	}
	elsif ($path ne $file)
	{
		print "$file: the head comment has the path $path\n";
	}
	next unless $file =~ /\.h$/;
	my ($guard) = $text =~ /^#ifndef (\w+)\n#define \1$/m;
	print "$file: no include guard\n" unless defined $guard;
	print "$file: has the include guard of $guards{$guard}\n"
		if defined $guard && $guards{$guard};
	$guards{$guard} = $file if defined $guard;
}
