#!/usr/bin/perl
#
# The SQLSTATEs of class RT: errors.h and the README's table have the same ones,
# the code uses each, and no text mentions another.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

my ($errors_h) = find_files('src', qr{/errors\.h$}) or die "there is no errors.h\n";
my $definitions = read_text($errors_h);
my (%defined, %listed);

while ($definitions =~ /^#define (\w+)\s+MAKE_SQLSTATE\(([^)]*)\)/gm)
{
	my ($name, $letters) = ($1, $2);
	my $code = $letters =~ s/[^A-Z0-9]//gr;

	print "$errors_h: $code is defined twice\n" if $defined{$code};
	$defined{$code} = $name;
}
foreach my $row (table_rows('README.md', 'SQLSTATE'))
{
	my $code = $row->[0] =~ s/`//gr;

	print "README.md: $code is twice in the table of SQLSTATEs\n" if $listed{$code}++;
	print "README.md: $code has no meaning\n" unless length($row->[1] // '');
	print "README.md: $code of the table is not in $errors_h\n" unless $defined{$code};
}

my $source = join '', map { read_text($_) } find_files('src', qr/\.c$/);

foreach my $code (sort keys %defined)
{
	print "README.md: the table of SQLSTATEs does not have $code of $errors_h\n" unless $listed{$code};
	print "$errors_h: nothing uses $defined{$code}\n" unless $source =~ /\b$defined{$code}\b/;
}
foreach my $file (markdown(), find_files('sql', qr/\.sql$/), find_files('src', qr/\.[ch]$/))
{
	my %met = map { $_ => 1 } read_text($file) =~ /\b(RT[0-9]{3})\b/g;

	foreach my $code (sort keys %met)
	{
		print "$file: mentions $code, which is not in $errors_h\n" unless $defined{$code};
	}
}
