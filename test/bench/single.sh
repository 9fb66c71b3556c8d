# Instructions of the backend: one row per statement, and each row of a bulk
# UPDATE.  The commit and the traffic of the socket are counted, too.

part_single()
{
	local kind variant count

	if ! command -v valgrind >/dev/null
	then
		title 'single: left out, it needs valgrind'
		return
	fi
	for kind in one bulk
	do
		bash "$here/instructions" $kind > "$work/single.$kind"
	done

	title 'single: instructions of the backend for one return (callgrind)'
	while read -r variant count
	do
		figure "one UPDATE each, prepared: $(bulk_label "$variant")" "$count"
	done < "$work/single.one"
	judge 'returns to no rules' "$(instruction_ratio one returns bare)" 'at most' 1.3
	while read -r variant count
	do
		figure "one UPDATE over many: $(bulk_label "$variant")" "$count"
	done < "$work/single.bulk"
	judge 'returns to no rules' "$(instruction_ratio bulk returns bare)" 'at most' 1.3
}

instruction_ratio()
{
	awk -v a="$2" -v b="$3" '$1 == a {x = $2} $1 == b {y = $2} END {print x / y}' "$work/single.$1"
}
