# Find the units of the tests that execute a line.
#
# The folder has a folder for every unit, with the file `name`, the file
# `seconds` that it takes, and the file `lines`: FILE LINE COUNT of every line
# of code, as gcov counted.

package Coverage;

use strict;
use warnings;

sub new
{
	my ($class, $folder) = @_;
	my $self = bless { units => {}, executed => {}, code => {} }, $class;

	for my $unit (sort glob("$folder/*"))
	{
		next if !-f "$unit/lines";
		my $name = content("$unit/name");

		$self->{units}{$name} = content("$unit/seconds");
		open(my $lines, '<', "$unit/lines") or die "$unit/lines: $!";
		while (<$lines>)
		{
			my ($file, $line, $count) = split;

			$self->{code}{$file}{$line} = 1;
			push @{ $self->{executed}{$file}{$line} }, $name if $count > 0;
		}
	}
	return $self;
}

sub content
{
	my ($file) = @_;

	open(my $in, '<', $file) or die "$file: $!";
	my $content = join('', <$in>);

	chomp $content;
	return $content;
}

# The units that execute any of the lines, the quickest first and the server
# tests last; with undef the lines are no code.
sub units
{
	my ($self, $file, @lines) = @_;
	my %units;
	my @code = grep { $self->{code}{$file}{$_} } @lines;

	return undef if !@code;
	$units{$_} = 1 for map { @{ $self->{executed}{$file}{$_} // [] } } @code;
	return [
		map { "$_ $self->{units}{$_}" }
			sort { ($a =~ /^server/) <=> ($b =~ /^server/) ||
				$self->{units}{$a} <=> $self->{units}{$b} || $a cmp $b } keys %units
	];
}

1;
