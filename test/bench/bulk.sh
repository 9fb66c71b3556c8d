# One UPDATE that moves many returns from requested to approved: without rules,
# with rules in PL/pgSQL (the business days by a calendar table, and by
# generate_series), and with the extension.

part_bulk()
{
	local rows rounds round variant

	rows=$(returns_rows)
	rounds=$(pick 5 3)
	returns_template
	for round in $(seq "$rounds")
	do
		for variant in bare twin series returns
		do
			bulk_round "$variant" "$rows"
		done
	done

	title "bulk: one UPDATE over $rows returns, microseconds per row (median of $rounds)"
	for variant in bare twin series returns
	do
		figure "$(bulk_label $variant)" "$(microseconds "bulk.$variant")" us \
			"wall $(microseconds "bulk.$variant" 2)"
	done
	judge 'returns to no rules' \
		"$(ratio "$(median bulk.returns 1)" "$(median bulk.bare 1)")" 'at most' 1.3
	judge 'PL/pgSQL with a calendar table to returns' \
		"$(ratio "$(median bulk.twin 1)" "$(median bulk.returns 1)")" 'at least' 3.5
	judge 'PL/pgSQL with generate_series to returns' \
		"$(ratio "$(median bulk.series 1)" "$(median bulk.returns 1)")" 'at least' 5
}

bulk_label()
{
	case $1 in
		bare) echo 'no rules, UPDATE and INSERT in one statement';;
		twin) echo 'rules in PL/pgSQL, calendar table';;
		series) echo 'rules in PL/pgSQL, generate_series';;
		returns) echo 'returns';;
	esac
}

bulk_round()
{
	local variant=$1 rows=$2 statement=$1 events

	copy bench_returns
	[ "$variant" != series ] || rows=$((rows / 4))	# it is slow
	case $variant in
		bare) events=bench.bare_event;;
		twin) events=bench.twin_event;;
		series)
			events=bench.twin_event
			statement=twin
			query bench_run -f "$sql/twin_series.sql";;
		returns) events=returns.return_event;;
	esac
	measure "bulk.$variant" "$rows" < "$sql/bulk_$statement.sql"
	[ "$(query bench_run -c "SELECT count(*) FROM $events WHERE to_state = 'approved'
		AND hash IS NOT NULL AND due_at IS NOT NULL")" = "$rows" ] ||
		die "$variant did not move $rows returns"
}
