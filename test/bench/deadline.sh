# The end of a term in business days: the function, and generate_series with a
# table of holidays.

part_deadline()
{
	local rows rounds round series

	rows=$(pick 100000 10000)
	rounds=$(pick 5 3)
	series=$(cat "$sql/deadline_series.sql")
	returns_template
	copy bench_returns
	query bench_run -c "CREATE TABLE bench.instant AS
		SELECT timestamptz '2024-02-01 00:00+00' + i * interval '10 minutes' AS at, 1 + i % 15 AS term
		  FROM generate_series(1, $rows) AS i"
	[ "$(query bench_run -c "SELECT count(*) FROM bench.instant
		WHERE returns.deadline(at, term, 'business_day', 'kz') IS DISTINCT FROM ($series)")" = 0 ] ||
		die 'the two computations have different results'
	for round in $(seq "$rounds")
	do
		measure deadline.series "$rows" <<< "SELECT count(($series)) FROM bench.instant;"
		measure deadline.returns "$rows" <<-EOF
			SELECT count(returns.deadline(at, term, 'business_day', 'kz')) FROM bench.instant;
		EOF
	done

	title "deadline: end of 1 to 15 business days from an instant (median of $rounds)"
	figure 'generate_series and a table of holidays' "$(microseconds deadline.series)" us
	figure 'returns.deadline()' "$(microseconds deadline.returns)" us
	judge 'returns.deadline(), us' "$(microseconds deadline.returns)" 'at most' 1
	judge 'generate_series to returns.deadline()' \
		"$(ratio "$(median deadline.series 1)" "$(median deadline.returns 1)")" 'at least' 50
}
