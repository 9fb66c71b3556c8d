# Single moves by 1, 2 and 4 clients, prepared, each its own transaction: the
# bare UPDATE and INSERT in one statement, the same as two statements in a
# transaction, as an application does it, and the extension.

part_pgbench()
{
	local moves rounds round clients variant

	moves=$(pick 40000 4000)
	rounds=$(pick 5 3)
	returns_template
	for round in $(seq "$rounds")
	do
		for clients in 1 2 4
		do
			for variant in bare two returns
			do
				pgbench_round "$variant" "$clients" "$moves"
			done
		done
	done

	title "pgbench: moves per second, $moves one by one (median of $rounds)"
	for clients in 1 2 4
	do
		for variant in bare two returns
		do
			figure "$clients clients: $(pgbench_label $variant)" \
				"$(median "pgbench.$variant.$clients" 1)" /s \
				"$(median "pgbench.$variant.$clients" 2) us of backend"
		done
		judge "$clients clients: returns to one statement" \
			"$(ratio "$(median "pgbench.returns.$clients" 1)" "$(median "pgbench.bare.$clients" 1)")" \
			'at least' 0.85
		judge "$clients clients: returns to two statements" \
			"$(ratio "$(median "pgbench.returns.$clients" 1)" "$(median "pgbench.two.$clients" 1)")" \
			'at least' 1.0
	done
}

pgbench_label()
{
	case $1 in
		bare) echo 'no rules, UPDATE and INSERT in one statement';;
		two) echo 'no rules, two statements in a transaction';;
		returns) echo 'returns';;
	esac
}

pgbench_round()
{
	local variant=$1 clients=$2 moves=$3

	copy bench_returns
	pgbench_ticks -c "$clients" -j "$clients" -t $((moves / clients)) -D i=0 -D clients="$clients" \
		-f "$sql/one_$variant.sql"
	awk -v ticks="$ticks" -v moves="$moves" '
		/^tps = / {print $3, ticks * 10000 / moves}' "$work/pgbench" >> "$work/pgbench.$variant.$clients"
}
