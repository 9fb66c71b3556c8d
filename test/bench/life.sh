# Whole lives of returns, from the order line to the settled refund, among a
# thousand that are over and among a million.  The first lives after a copy are
# not counted: a million lives do not fit into the buffers, and the first lives
# read the pages that the next ones need.

part_life()
{
	local many lives rounds round

	many=$(pick 1000000 20000)
	lives=$(pick 3000 300)
	rounds=$(pick 5 3)
	template bench_thousand -v n=1000 -f "$sql/load.sql" -f "$sql/life_load.sql" -f "$sql/settle.sql"
	template bench_million -v n="$many" -f "$sql/load.sql" -f "$sql/life_load.sql" -f "$sql/settle.sql"
	for round in $(seq "$rounds")
	do
		life_round few bench_thousand "$lives"
		life_round many bench_million "$lives"
	done

	title "life: from order to settled refund, microseconds of backend each (median of $rounds)"
	figure 'after 1000 returns' "$(median life.few 1)" us "wall $(median life.few 2)"
	figure "after $many returns" "$(median life.many 1)" us "wall $(median life.many 2)"
	judge 'after many to after few' "$(ratio "$(median life.many 1)" "$(median life.few 1)")" 'at most' 1.2
}

life_round()
{
	local variant=$1 lives=$3 first=300

	copy "$2"
	pgbench_ticks -c 1 -t $first -D i=0 -f "$sql/life.sql"
	pgbench_ticks -c 1 -t "$lives" -D i=$first -f "$sql/life.sql"
	[ "$(query bench_run -c "SELECT count(*) FROM returns.return_request
		WHERE order_ref LIKE 'L%' AND status = 'refunded'")" = $((first + lives)) ] || die 'not all lives reached their end'
	awk -v ticks="$ticks" -v lives="$lives" '
		/^latency average/ {print ticks * 10000 / lives, $4 * 1000}' "$work/pgbench" >> "$work/life.$variant"
}
