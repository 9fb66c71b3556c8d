# The sweep of many due returns among many more open ones: one statement without
# rules, the extension in batches of 1000, and the same while an old snapshot is
# held open.  Then the cost of a sweep when no return is due.

part_sweep()
{
	local open due rounds round polls=200

	open=$(pick 2000000 50000)
	due=$(pick 200000 5000)
	rounds=$(pick 3 3)
	template bench_open -v n="$open" -v due="$due" -v goods=0 -f "$sql/load.sql" -f "$sql/bare.sql" \
		-f "$sql/settle.sql"
	template bench_few -v n=10000 -v goods=0 -f "$sql/load.sql" -f "$sql/settle.sql"
	for round in $(seq "$rounds")
	do
		copy bench_open
		measure sweep.bare "$due" < "$sql/sweep_bare.sql"

		copy bench_open
		measure sweep.returns "$due" <<< 'CALL returns.sweep(1000);'
		sweep_swept "$due"
		query bench_run -c 'VACUUM returns.return_request'
		poll sweep.poll_many $polls

		copy bench_open
		hold_snapshot
		measure sweep.held "$due" <<< 'CALL returns.sweep(1000);'
		sweep_swept "$due"
		release_snapshot

		copy bench_open
		hold_snapshot
		poll sweep.poll_held $polls 'CALL returns.sweep(1000);'
		release_snapshot

		copy bench_few
		poll sweep.poll_few $polls
	done
	report_sweep
}

# With the variables of part_sweep().
report_sweep()
{
	title "sweep: $due due among $open open, microseconds per return (median of $rounds)"
	figure 'no rules, one statement' "$(microseconds sweep.bare)" us "wall $(microseconds sweep.bare 2)"
	figure 'returns.sweep(1000)' "$(microseconds sweep.returns)" us "wall $(microseconds sweep.returns 2)"
	figure 'the same under an old snapshot' "$(microseconds sweep.held)" us "wall $(microseconds sweep.held 2)"
	judge 'rows per second, returns to no rules' \
		"$(ratio "$(median sweep.bare 1)" "$(median sweep.returns 1)")" 'at least' 0.8
	judge 'rows per second, with an old snapshot to without' \
		"$(ratio "$(median sweep.returns 1)" "$(median sweep.held 1)")" 'at least' 0.8
	figure 'nothing due, 10000 open: run_deadlines()' "$(microseconds sweep.poll_few)" us
	figure "nothing due, $open open" "$(microseconds sweep.poll_many)" us
	figure 'nothing due, right after the sweep under an old snapshot' "$(microseconds sweep.poll_held)" us
	judge 'nothing due, many open to few' \
		"$(ratio "$(median sweep.poll_many 1)" "$(median sweep.poll_few 1)")" 'at most' 1.2
	judge 'nothing due, right after the sweep under an old snapshot, us' \
		"$(microseconds sweep.poll_held)" 'at most' 1000
}

sweep_swept()
{
	[ "$(query bench_run -c "SELECT count(*) FROM returns.return_event WHERE to_state = 'approved'
		AND actor = 'system'")" = "$1" ] || die 'the sweep did not move all due returns'
}

# poll VARIANT TIMES [BEFORE]
poll()
{
	local look='SELECT returns.run_deadlines(1000);' i

	for i in $(seq "$2"); do echo "$look"; done | measure "$1" "$2" "${3:-} $look"
}
