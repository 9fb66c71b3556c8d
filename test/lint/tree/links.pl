#!/usr/bin/perl
#
# Links in the Markdown lead to files and headings that exist.  Paths in
# `backticks` exist, and so do the functions() that CONTRIBUTING.md mentions.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

foreach my $file (markdown(), 'CHANGELOG.md')
{
	my $text = read_text($file);

	check_link($file, $_) foreach $text =~ /\]\(([^)\s]+)\)/g;
	next if $file eq 'CHANGELOG.md';	# its paths are those of older versions
	foreach my $code (prose_codes($file))
	{
		print "$file: the path $code does not exist\n" if is_path($code) && !resolve($file, $code);
	}
}

my $source = join '', map { read_text($_) } find_files('src', qr/\.[ch]$/), find_files('sql', qr/\.sql$/);

foreach my $code (-f 'CONTRIBUTING.md' ? prose_codes('CONTRIBUTING.md') : ())
{
	print "CONTRIBUTING.md: the function $code does not exist\n"
		if $code =~ /^(\w+)\(\)$/ && $source !~ /\b$1\(/;
}

sub check_link
{
	my ($file, $link) = @_;

	return if $link =~ m{^\w+:};
	my ($path, $heading) = split /#/, $link, 2;
	my $target = length $path ? folder_of($file) . $path : $file;

	if (!-e $target)
	{
		print "$file: the target of the link $link does not exist\n";
	}
	elsif (defined $heading && !grep { $_ eq $heading } headings($target))
	{
		print "$file: the link $link names no heading\n";
	}
}

# A path below a folder of the tree that is no pattern (NAME, *, ...).
sub is_path
{
	my ($code) = @_;

	return $code =~ m{^(?:src|sql|test|doc|expected|harness|bench)/[a-z0-9_./-]*$}
		&& $code !~ /\.\.\./;
}

sub resolve
{
	my ($file, $code) = @_;

	return -e $code || -e folder_of($file) . $code;
}

sub folder_of
{
	return $_[0] =~ m{^(.*/)} ? $1 : '';
}

# The form that links use.
sub headings
{
	my ($file) = @_;

	return map { lc(s/[^\w\s-]//gr) =~ s/ /-/gr } read_text($file) =~ /^#+ +(.*?)\s*$/gm;
}
