#!/bin/sh
#
# Print the SQL scripts that setup() runs as a C header: one string per file,
# sorted by folder (in the order below) and name.
#
#	src/load/embed.sh [DIRECTORY OF THE SOURCE]

LC_ALL=C
export LC_ALL
cd "${1:-.}" || exit 1
cr=$(printf '\r')

cat <<'EOF'
/* Made by src/load/embed.sh from sql/; do not edit. */

typedef struct SetupScript
{
	const char *folder;
	const char *name;
	const char *text;
} SetupScript;

static const SetupScript setup_scripts[] = {
EOF

for folder in tables triggers presets security views comments
do
	for file in sql/"$folder"/*.sql
	do
		[ -f "$file" ] || continue
		printf '{"%s", "%s",\n""\n' "$folder" "$(basename "$file" .sql)"

		# A question mark is escaped because two of them may begin a trigraph.
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e "s/$cr/\\\\r/g" \
			-e 's/^/"/' -e 's/$/\\n"/' "$file" || exit 1
		printf '},\n'
	done
done

printf '{NULL, NULL, NULL}\n};\n'
