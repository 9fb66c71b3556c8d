# The tokens of a C file, as far as mutants need them.
#
# A token is a hash: type (id, num, str, chr, op or pre, a preprocessor line),
# text, pos (its offset in the file) and line.  Comments and blanks are no
# tokens.  Inside a function body `function` is the function's index.

package Tokens;

use strict;
use warnings;

# new Tokens(text): the tokens of a file, their pairs and their functions.
sub new
{
	my ($class, $text) = @_;
	my $self = bless { text => $text, tokens => lex($text), functions => [] }, $class;

	$self->pair_brackets;
	$self->find_functions;
	$self->mark_static;
	return $self;
}

sub lex
{
	my ($text) = @_;
	my (@tokens, $line);

	$line = 1;
	pos($text) = 0;
	while (pos($text) < length($text))
	{
		my $pos = pos($text);
		my $type =
			$text =~ m{\G(?:\s+|/\*.*?\*/|//[^\n]*)}gcs ? ''
			: $text =~ m{\G(?<=\n)\#(?:[^\n\\]|\\.)*}gcs ? 'pre'
			: $text =~ m{\G"(?:[^"\\]|\\.)*"}gcs         ? 'str'
			: $text =~ m{\G'(?:[^'\\]|\\.)*'}gcs         ? 'chr'
			: $text =~ m{\G[A-Za-z_]\w*}gc               ? 'id'
			: $text =~ m{\G[0-9][\w.]*}gc                ? 'num'
			: $text =~ m{\G(?:<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)}gcs
			? 'op'
			: die 'a character is no token';
		my $token = substr($text, $pos, pos($text) - $pos);

		push @tokens, { type => $type, text => $token, pos => $pos, line => $line }
			if $type ne '';
		$line += ($token =~ tr/\n//);
	}
	return \@tokens;
}

# The index of each bracket's partner.
sub pair_brackets
{
	my ($self) = @_;
	my @open;
	my $tokens = $self->{tokens};

	for my $i (0 .. $#$tokens)
	{
		next if $tokens->[$i]{type} ne 'op';
		if ($tokens->[$i]{text} =~ /^[(\[{]$/)
		{
			push @open, $i;
		}
		elsif ($tokens->[$i]{text} =~ /^[)\]}]$/)
		{
			my $partner = pop @open;

			$tokens->[$i]{partner} = $partner;
			$tokens->[$partner]{partner} = $i;
		}
	}
}

# A function's body is a block at the top that follows a parameter list.
sub find_functions
{
	my ($self) = @_;
	my $tokens = $self->{tokens};
	my $begin = 0;

	for (my $i = 0; $i < @$tokens; $i++)
	{
		my $text = $tokens->[$i]{text};

		$begin = $i + 1 if $text eq ';' || $tokens->[$i]{type} eq 'pre';
		next if $text ne '{';
		my $end = $tokens->[$i]{partner};

		$self->add_function($begin, $i, $end) if $i > 0 && $tokens->[ $i - 1 ]{text} eq ')';
		$begin = $end + 1 if $i > 0 && $tokens->[ $i - 1 ]{text} eq ')';
		$i = $end;
	}
}

sub add_function
{
	my ($self, $begin, $open, $close) = @_;
	my $tokens = $self->{tokens};
	my $name = $tokens->[ $open - 1 ]{partner} - 1;
	my $type = join(' ', map { $_->{text} } @$tokens[ $begin .. $name - 1 ]);
	my $functions = $self->{functions};

	push @$functions,
		{
		name => $tokens->[$name]{text},
		type => $type,
		first_line => $tokens->[$open]{line},
		last_line => $tokens->[$close]{line},
		text => substr($self->{text}, $tokens->[$open]{pos},
			$tokens->[$close]{pos} - $tokens->[$open]{pos}),
		};
	$tokens->[$_]{function} = $#$functions for $open .. $close;
}

# A static initializer in a function belongs to the whole function.
sub mark_static
{
	my ($self) = @_;
	my $tokens = $self->{tokens};

	for my $i (0 .. $#$tokens)
	{
		next if $tokens->[$i]{text} ne 'static' || !defined $tokens->[$i]{function};
		for (my $at = $i; $tokens->[$at]{text} ne ';'; $at++)
		{
			$tokens->[$at]{static} = 1;
		}
	}
}

# Does the `)` at I end the head of a control statement?
sub ends_head
{
	my ($self, $i) = @_;
	my $tokens = $self->{tokens};

	return 0 if $tokens->[$i]{text} ne ')';
	my $open = $tokens->[$i]{partner};

	return $open > 0 && $tokens->[ $open - 1 ]{text} =~ /^(?:if|for|while|switch|foreach)$/;
}

# Does a statement begin at I?
sub begins_statement
{
	my ($self, $i) = @_;
	my $before = $self->{tokens}[ $i - 1 ]{text};

	return $before =~ /^(?:[;{}:]|else|do)$/ || $self->ends_head($i - 1);
}

# The lines of the statement, or of the control statement's head, around I.
sub statement_lines
{
	my ($self, $i) = @_;
	my $tokens = $self->{tokens};
	my ($first, $last) = ($i, $i);

	$first-- while $first > 0 && !$self->begins_statement($first);
	$last++ while $last < $#$tokens && $tokens->[$last]{text} !~ /^[;{}]$/ &&
		!$self->ends_head($last);
	return ($tokens->[$first]{line}, $tokens->[$last]{line});
}

1;
