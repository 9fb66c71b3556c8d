# Functions that the checks share: files of the tree, tables and code in its
# Markdown.  A check works at the root of the tree that contains it, so it also
# runs by hand: perl test/lint/tree/arrows.pl

package LintTree;

use strict;
use warnings;

use Exporter 'import';
use File::Find;
use FindBin;

our @EXPORT = qw(find_files find_folders read_text read_lines markdown
  table_rows prose_codes fenced_blocks query);

chdir "$FindBin::Bin/../../.." or die "no tree around $FindBin::Bin\n";

# Files that a build creates.
my $built = qr{/setup_sql\.h$|^sql/returns--[^-]*\.sql$};

# find_files FOLDER PATTERN: the paths of the files below a folder, in order.
sub find_files
{
	my ($folder, $pattern) = @_;
	my @found;

	return () unless -d $folder;
	find({ no_chdir => 1, wanted => sub {
		push @found, $_ if -f $_ && /$pattern/ && !/$built/;
	} }, $folder);
	@found = sort @found;
	return @found;
}

# find_folders FOLDER: the folders directly below one.
sub find_folders
{
	my ($folder) = @_;
	my @found = sort grep { -d } glob("$folder/*");

	return @found;
}

sub read_text
{
	my ($file) = @_;

	open my $in, '<', $file or die "$file: $!\n";
	local $/;
	return scalar <$in> // '';
}

sub read_lines
{
	return split /\n/, read_text($_[0]) =~ s/\n\z//r, -1;
}

# The Markdown files that describe this version.
sub markdown
{
	return grep { -f } 'README.md', 'CONTRIBUTING.md', 'test/README.md',
		find_files('doc', qr/\.md$/);
}

# table_rows FILE CELL: the rows, as lists of cells, of the tables whose head
# begins with CELL.
sub table_rows
{
	my ($file, $cell) = @_;
	my ($inside, @rows);

	foreach my $line (read_lines($file))
	{
		if ($line !~ /^\|(.*)\|\s*$/)
		{
			$inside = 0;
			next;
		}
		my @cells = map { s/^\s+|\s+$//gr } split /(?<!\\)\|/, $1;
		if ($inside)
		{
			push @rows, \@cells unless $cells[0] =~ /^:?-+:?$/;
		}
		$inside ||= $cells[0] eq $cell;
	}
	return @rows;
}

# prose_codes FILE: the `code` in the text, without fenced blocks.
sub prose_codes
{
	my ($file) = @_;
	my $text = read_text($file);

	$text =~ s/^([ ]*)```.*?^\1```//gms;
	return map { s/\s+/ /gr } $text =~ /`([^`]+)`/g;
}

# fenced_blocks TEXT: pairs of a language, which may be empty, and a text.
sub fenced_blocks
{
	my ($text) = @_;
	my @blocks;

	push @blocks, [ $2, $3 ] while $text =~ /^([ ]*)```(\w*)\n(.*?)^\1```/gms;
	return @blocks;
}

# query SQL: the rows of a query, as lists of columns, in the database that
# PGDATABASE names.
sub query
{
	my ($sql) = @_;

	open my $out, '-|', 'psql', '-XAqt', '-F', "\t", '-v', 'ON_ERROR_STOP=1', '-c', $sql
		or die "psql: $!\n";
	my @rows = map { chomp; [ split /\t/, $_, -1 ] } <$out>;
	close $out or die "the query failed: $sql\n";
	return @rows;
}

1;
