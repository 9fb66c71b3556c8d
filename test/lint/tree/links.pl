#!/usr/bin/perl
#
# What the Markdown refers to is there: files and headings that links lead to,
# and paths in `backticks`.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

foreach my $file (markdown(), 'CHANGELOG.md')
{
	my $text = read_text($file);

	check_link($file, $_) foreach $text =~ /\]\(([^)\s]+)\)/g;
	next if $file eq 'CHANGELOG.md';	# it names what other versions had
	foreach my $code (prose_codes($file))
	{
		print "$file: there is no $code\n" if is_path($code) && !resolve($file, $code);
	}
}

sub check_link
{
	my ($file, $link) = @_;

	return if $link =~ m{^\w+:};
	my ($path, $heading) = split /#/, $link, 2;
	my $target = length $path ? folder_of($file) . $path : $file;

	if (!-e $target)
	{
		print "$file: the link $link leads nowhere\n";
	}
	elsif (defined $heading && !grep { $_ eq $heading } headings($target))
	{
		print "$file: the link $link leads to no heading\n";
	}
}

# A path below one of our folders that is no pattern (NAME, *, ...).
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

# As they are named in links.
sub headings
{
	my ($file) = @_;

	return map { lc(s/[^\w\s-]//gr) =~ s/ /-/gr } read_text($file) =~ /^#+ +(.*?)\s*$/gm;
}
