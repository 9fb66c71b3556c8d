# The changes that are made to a C file, one at a time.
#
# mutations(Tokens) gives a list of hashes: kind, pos, length (of the replaced
# text), new (the replacement) and token (the index of the first token
# changed). Code that no test can or should detect is left out: assertions,
# texts of messages, sizes of arrays and allocations, and calls that free
# memory or close resources that the end of the transaction closes too.

package Mutations;

use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(mutations);

my %operator = (
	'==' => '!=', '!=' => '==', '<' => '<=', '<=' => '<', '>' => '>=', '>=' => '>',
	'&&' => '||', '||' => '&&', '+=' => '-=', '-=' => '+=');
my %word = (true => 'false', false => 'true', Min => 'Max', Max => 'Min');
my %sql_operator = (
	'=' => '<>', '<>' => '=', '<' => '<=', '<=' => '<', '>' => '>=', '>=' => '>',
	'+' => '-', '-' => '+');
my %weaker_lock = (
	ShareLock => 'AccessShareLock',
	ExclusiveLock => 'AccessShareLock',
	RowExclusiveLock => 'AccessShareLock',
	ShareRowExclusiveLock => 'AccessShareLock',
	ShareUpdateExclusiveLock => 'AccessShareLock',
	AccessExclusiveLock => 'AccessShareLock');

# Calls whose arguments are texts, sizes or assertions.
my $no_arguments = qr/^(?:\w*Assert\w*|elog|ereport|ereturn|err\w+|psprintf|
	appendStringInfo\w*|repalloc\w*|palloc\w*|hash_create|MemoryContext(?!Switch)\w+|AllocSet\w+|
	CacheRegister\w+|PG_FUNCTION_INFO_V1|sizeof|lengthof|offsetof)$/x;

# Calls whose removal only leaks, or cannot be detected.
my $no_removal = qr/^(?:\w*Assert\w*|elog|pfree|list_free\w*|MemoryContext(?:Delete|Reset)\w*|
	(?:table|relation|index|sequence)_close|systable_endscan|ReleaseSysCache|
	ReleaseCurrentSubTransaction|Unregister\w+|SPI_(?:finish|freetuptable|freeplan)|
	FreeQueryDesc|CHECK_FOR_INTERRUPTS|initStringInfo|appendStringInfo\w*|
	CacheRegister\w+|PG_\w+|foreach\w*|if|for|while|switch|return|sizeof)$/x;

sub mutations
{
	my ($file) = @_;
	my $tokens = $file->{tokens};
	my @found;

	for (my $i = 1; $i < $#$tokens; $i++)
	{
		my $token = $tokens->[$i];

		push @found, call_removed($file, $i) if $token->{type} eq 'id' && in_code($file, $i);
		if ($token->{type} eq 'id' && $tokens->[ $i + 1 ]{text} eq '(' &&
			$token->{text} =~ $no_arguments)
		{
			$i = $tokens->[ $i + 1 ]{partner};
			next;
		}
		push @found, token_changed($file, $i);
	}
	$_->{length} //= length($tokens->[ $_->{token} ]{text}) for @found;
	$_->{pos} //= $tokens->[ $_->{token} ]{pos} for @found;
	return @found;
}

# Code that also runs without an error.
sub in_code
{
	my ($file, $i) = @_;
	my $function = $file->{tokens}[$i]{function};

	return defined $function && !$file->{tokens}[$i]{static} &&
		$file->{functions}[$function]{type} !~ /noreturn/;
}

sub token_changed
{
	my ($file, $i) = @_;
	my $token = $file->{tokens}[$i];

	return sql_changed($token, $i) if $token->{type} eq 'str' || $token->{type} eq 'pre';
	return word_changed($token, $i) if $token->{type} eq 'id' && !defined $token->{function};
	return () if !in_code($file, $i);
	return number_changed($file, $i) if $token->{type} eq 'num';
	return operator_changed($file, $i) if $token->{type} eq 'op';
	return (word_changed($token, $i), statement_changed($file, $i));
}

sub word_changed
{
	my ($token, $i) = @_;
	my $new = $word{ $token->{text} };

	return () if !defined $new;
	return { kind => $token->{text} =~ /^M/ ? 'extreme' : 'boolean', new => $new, token => $i };
}

sub operator_changed
{
	my ($file, $i) = @_;
	my $tokens = $file->{tokens};
	my $text = $tokens->[$i]{text};
	my $new = $operator{$text};

	return { kind => $text =~ /^(?:&&|\|\|)$/ ? 'logic' : $text =~ /^[-+]/ ? 'sum' : 'comparison',
		new => $new, token => $i }
		if defined $new;
	return () if $text !~ /^[-+]$/;
	my $before = $tokens->[ $i - 1 ];

	return () if $before->{type} !~ /^(?:id|num)$/ && $before->{text} !~ /^[)\]]$/;
	return () if $before->{text} =~ /^(?:return|case)$/;
	return { kind => 'sum', new => $text eq '+' ? '-' : '+', token => $i };
}

# 0 becomes 1, and any other number one more; 1 becomes 0.
sub number_changed
{
	my ($file, $i) = @_;
	my $tokens = $file->{tokens};
	my $text = $tokens->[$i]{text};

	return () if $text !~ /^\d+$/ || declares_array($tokens, $i);
	# (Datum) 0 stands for no value
	return () if $i > 2 && $tokens->[ $i - 1 ]{text} eq ')' && $tokens->[ $i - 2 ]{text} eq 'Datum';
	return { kind => 'constant', new => $text == 1 ? 0 : $text + 1, token => $i };
}

# Is it in the size of an array, as in "Datum args[2]" or "char text[SIZE + 1]"?
sub declares_array
{
	my ($tokens, $i) = @_;

	$i-- while $tokens->[ $i - 1 ]{text} =~ /^[\w+]+$/;
	return $tokens->[ $i - 1 ]{text} eq '[' && $tokens->[ $i - 2 ]{type} eq 'id' &&
		$tokens->[ $i - 3 ]{text} =~ /^(?!return$|case$)(?:[A-Za-z]\w*|\*)$/;
}

sub statement_changed
{
	my ($file, $i) = @_;
	my $tokens = $file->{tokens};
	my ($text, $next) = ($tokens->[$i]{text}, $tokens->[ $i + 1 ]);

	return { kind => 'jump', new => '', token => $i }
		if $text =~ /^(?:break|continue)$/ || ($text eq 'return' && $next->{text} eq ';');
	return condition_negated($file, $i, $next->{pos} + 1, $tokens->[ $next->{partner} ]{pos})
		if $text eq 'if' && $next->{text} eq '(';
	if ($text eq 'return' && $file->{functions}[ $tokens->[$i]{function} ]{type} =~ /\bbool\b/)
	{
		my $end = $i;

		$end++ while $tokens->[$end]{text} ne ';';
		return condition_negated($file, $i, $next->{pos}, $tokens->[$end]{pos});
	}
	return ();
}

# A condition that is one comparison or literal has its mutant already.
sub condition_negated
{
	my ($file, $i, $from, $to) = @_;
	my $text = substr($file->{text}, $from, $to - $from);

	return () if $text =~ /[=!]=/ && $text !~ /&&|\|\||\?/;
	return () if $text =~ /^\s*(?:true|false)\s*$/;
	return { kind => 'negation', new => "!($text)", token => $i, pos => $from, length => $to - $from };
}

# f(...); becomes ;. After the call of a function that raises an error, the
# code continues.
sub call_removed
{
	my ($file, $i) = @_;
	my ($tokens, $first) = ($file->{tokens}, $i);
	my $name = $tokens->[$i]{text};

	return () if $tokens->[ $i + 1 ]{text} ne '(' || $name =~ $no_removal;
	my $end = $tokens->[ $i + 1 ]{partner};

	return () if $tokens->[ $end + 1 ]{text} ne ';';
	return () if $name eq 'ereport' && $tokens->[ $i + 2 ]{text} !~ /^(?:ERROR|WARNING|NOTICE)$/;
	$first -= 3 if $i > 3 && $tokens->[ $i - 2 ]{text} eq 'void' && $tokens->[ $i - 1 ]{text} eq ')';
	return () if !$file->begins_statement($first);
	my $pos = $tokens->[$first]{pos};

	return { kind => $name =~ /Lock/ ? 'lock' : 'call', new => '', token => $first, pos => $pos,
		length => $tokens->[ $end + 1 ]{pos} - $pos },
		$name =~ /Lock/ ? lock_weakened($tokens, $i, $end) : ();
}

sub lock_weakened
{
	my ($tokens, $from, $to) = @_;

	return map { { kind => 'lock', new => $weaker_lock{ $tokens->[$_]{text} }, token => $_ } }
		grep { exists $weaker_lock{ $tokens->[$_]{text} } } $from .. $to;
}

# Inside SQL: locks, operators, and tests for null.
sub sql_changed
{
	my ($token, $i) = @_;
	my ($text, @found) = $token->{text};

	return () if $token->{type} eq 'pre' && $text !~ /^#define[^"]*"/;
	while ($text =~ /(FOR (?:NO KEY )?UPDATE(?: OF \w+(?:, \w+)*)?|FOR (?:KEY )?SHARE)\b( SKIP LOCKED)?/g)
	{
		push @found, [ 'lock', '', $-[0], $+[0] ];
		push @found, [ 'lock', '', $-[2], $+[2] ] if defined $2;
	}
	while ($text =~ /OPERATOR\(pg_catalog\.([^)]+)\)/g)
	{
		push @found, [ 'sql', $sql_operator{$1}, $-[1], $+[1] ] if exists $sql_operator{$1};
	}
	while ($text =~ /\bIS (NOT )?NULL\b/g)
	{
		push @found, [ 'sql', defined $1 ? 'IS NULL' : 'IS NOT NULL', $-[0], $+[0] ];
	}
	return map {
		{ kind => $_->[0], new => $_->[1], token => $i, pos => $token->{pos} + $_->[2],
			length => $_->[3] - $_->[2] }
	} @found;
}

1;
