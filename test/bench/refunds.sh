# Postings of refunds by 8 clients: all of one seller, of many sellers, a
# hundred in a statement; against transfers on one account of a ledger that
# stores balances.  With commits that wait for the disk and without.

part_refunds()
{
	local posts rounds round wait

	posts=$(pick 16000 1600)
	rounds=$(pick 3 3)
	template bench_hot -v n=$((posts + 1000)) -v sellers=1 -f "$sql/load.sql" -f "$sql/refunds_load.sql" \
		-f "$sql/settle.sql" -f "$sql/stored_load.sql"
	template bench_random -v n=$((posts + 1000)) -f "$sql/load.sql" -f "$sql/refunds_load.sql" \
		-f "$sql/settle.sql"
	for wait in on off
	do
		query postgres -c "ALTER SYSTEM SET synchronous_commit = $wait" \
			-c 'ALTER SYSTEM SET fsync = on' -c 'SELECT pg_reload_conf()' >/dev/null
		for round in $(seq "$rounds")
		do
			refunds_round stored bench_hot one "$posts" 1
			refunds_round hot bench_hot one "$posts" 1
			refunds_round random bench_random one "$posts" 1
			refunds_round hundred bench_hot hundred "$posts" 100
		done
	done
	query postgres -c 'ALTER SYSTEM SET synchronous_commit = off' \
		-c 'ALTER SYSTEM SET fsync = off' -c 'SELECT pg_reload_conf()' >/dev/null

	title "refunds: postings per second by 8 clients (median of $rounds)"
	refunds_table on 'commits wait for the disk'
	refunds_table off 'synchronous_commit = off'
}

# refunds_round VARIANT DATABASE SCRIPT POSTS PER-STATEMENT
refunds_round()
{
	local variant=$1 script=$3 posts=$4 each=$5 prefix=refunds

	[ "$variant" != stored ] || prefix=stored
	copy "$2"
	pgbench_ticks -c 8 -j 2 -t $((posts / 8 / each)) -D i=0 -D clients=8 \
		-f "$sql/${prefix}_$script.sql"
	[ $prefix != refunds ] || [ "$(query bench_run -c "SELECT count(*) >= $posts / 8 / $each * 8 * $each
		FROM returns.refund WHERE status = 'sent'")" = t ] || die "$variant: refunds were not posted"
	awk -v each="$each" '/^tps = / {print $3 * each}' "$work/pgbench" >> "$work/refunds.$variant.$wait"
}

# refunds_table WAIT LABEL
refunds_table()
{
	local stored hot random hundred

	stored=$(median "refunds.stored.$1" 1)
	hot=$(median "refunds.hot.$1" 1)
	random=$(median "refunds.random.$1" 1)
	hundred=$(median "refunds.hundred.$1" 1)
	figure "$2: returns, many sellers" "$random" /s
	figure "$2: returns, one hot seller" "$hot" /s
	figure "$2: returns, one hot seller, 100 a statement" "$hundred" /s
	figure "$2: a ledger that stores balances, one hot account" "$stored" /s
	judge 'one hot seller to many' "$(ratio "$hot" "$random")" 'at least' 0.9
	figure 'one hot seller to a ledger that stores balances' "$(ratio "$hot" "$stored")" x
	figure '100 a statement to a ledger that stores balances' "$(ratio "$hundred" "$stored")" x
}
