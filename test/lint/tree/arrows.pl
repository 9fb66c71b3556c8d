#!/usr/bin/perl
#
# The direction of includes.  A folder of src may include from folders on its own
# floor and on those below.  There is no circle of files (a .c file and its own
# header are one) and no circle of folders (a subfolder is one of its own).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use LintTree;

# From the top floor down.
my @floors = ([qw(load)], [qw(time api)], [qw(records definitions)], [qw(rules)], [qw(base)]);

my %floor_of;
foreach my $i (0 .. $#floors)
{
	$floor_of{$_} = $i foreach @{ $floors[$i] };
}

foreach my $room (map { s{^src/}{}r } find_folders('src'))
{
	print "src/$room is on no floor of test/lint/tree/arrows.pl\n"
		unless exists $floor_of{$room} || !find_files("src/$room", qr/\.[ch]$/);
}

my (%file_uses, %folder_uses);

foreach my $file (find_files('src', qr/\.[ch]$/))
{
	my $folder = folder_of($file);

	foreach my $used (included_files($file))
	{
		print "$file: includes upward, $used\n" if floor($file) > floor($used);
		$file_uses{ node($file) }{ node($used) } = 1 if node($file) ne node($used);
		$folder_uses{$folder}{ folder_of($used) } = 1 if $folder ne folder_of($used);
	}
}
report_circles('files', \%file_uses);
report_circles('folders', \%folder_uses);

# 0 for the top floor.
sub floor
{
	my ($room) = $_[0] =~ m{^src/([^/]+)/};

	return $floor_of{ $room // '' } // 0;
}

sub folder_of
{
	return $_[0] =~ s{/[^/]+$}{}r;
}

sub node
{
	return $_[0] =~ s/\.[ch]$//r;
}

# The files of src that a file includes, by path or from its own folder.
sub included_files
{
	my ($file) = @_;
	my @names = read_text($file) =~ /^\s*#\s*include\s+"([^"]+)"/gm;

	return grep { -f } map { ("src/$_", folder_of($file) . "/$_") } @names;
}

# The shortest way from a node back to itself, each circle once.
sub report_circles
{
	my ($what, $uses) = @_;
	my %known;

	foreach my $start (sort keys %$uses)
	{
		my @circle = shortest_circle($start, $uses) or next;

		next if $known{ join ' ', sort @circle }++;
		print "circle of $what: ", join(' -> ', @circle, $start), "\n";
	}
}

sub shortest_circle
{
	my ($start, $uses) = @_;
	my @ways = ([$start]);
	my %seen;

	while (my $way = shift @ways)
	{
		foreach my $next (sort keys %{ $uses->{ $way->[-1] } // {} })
		{
			return @$way if $next eq $start;
			push @ways, [ @$way, $next ] unless $seen{$next}++;
		}
	}
	return ();
}
