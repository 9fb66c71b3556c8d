/*-------------------------------------------------------------------------
 *
 * diagram.c
 *		The workflow as a picture: text that Mermaid or Graphviz draws.
 *
 * The label of an edge has the actors of the transition and, in brackets, what
 * it requires, its resolution and its guard.  A timer is an edge of its own; a
 * timer without a target is a note at its state.
 *
 * src/rules/workflow/diagram.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "base/errors.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "rules/cache/cache.h"
#include "rules/term/deadline.h"
#include "utils/builtins.h"

typedef struct Diagram
{
	Machine		machine;
	StringInfo	out;
	int			n;
	const State **states;		/* in the order in which they are drawn */
	char	  **ids;			/* by the same number */
} Diagram;

/* How a language writes the parts of a picture. */
typedef struct Language
{
	const char *name;
	void		(*begin) (Diagram *diagram);
	void		(*node) (Diagram *diagram, int i, const char *note);
	void		(*edge) (Diagram *diagram, const char *from, const char *to, const char *label,
						 const char *style);
	void		(*end) (Diagram *diagram);
	const char *start;			/* node before the initial state */
	const char *stop;			/* node after a final state; NULL: none */
} Language;

/* ---- names ---- */

/* Words that Mermaid does not accept as the id of a state. */
static bool
is_reserved(const char *code)
{
	static const char *const words[] = {
		"acctitle", "accdescr", "as", "class", "classdef", "click", "default", "direction",
		"end", "hide", "href", "note", "root_start", "root_end", "scale", "state",
		"statediagram", "style", "title"
	};

	for (int i = 0; i < lengthof(words); i++)
		if (pg_strcasecmp(code, words[i]) == 0)
			return true;
	return false;
}

/* Do both languages accept the code as an id? */
static bool
is_plain_id(const char *code)
{
	if (strspn(code, "0123456789_") > 0 || is_reserved(code))
		return false;
	return code[strspn(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

/* The code if it can be an id, otherwise a name that is the code of no state. */
static char *
node_id(Machine machine, const char *code, int i)
{
	char	   *id;

	if (is_plain_id(code))
		return pstrdup(code);
	for (id = psprintf("state_%d", i + 1); state_find(machine, id, strlen(id)) != NULL;)
		id = psprintf("%s_", id);
	return id;
}

/* Write characters as numbers, except those without a meaning in Mermaid. */
static char *
mermaid_text(const char *string)
{
	StringInfoData out;

	initStringInfo(&out);
	for (; *string != '\0'; string++)
		if (IS_HIGHBIT_SET(*string) || isalnum((unsigned char) *string) || strchr(" _-.,()[]", *string))
			appendStringInfoChar(&out, *string);
		else if ((unsigned char) *string < ' ')
			appendStringInfoChar(&out, ' ');
		else
			appendStringInfo(&out, "#%d;", *string);
	return out.data;
}

static char *
dot_text(const char *string)
{
	StringInfoData out;

	initStringInfo(&out);
	for (; *string != '\0'; string++)
		if (*string == '"' || *string == '\\')
			appendStringInfo(&out, "\\%c", *string);
		else if (*string == '&')
			appendStringInfoString(&out, "&amp;");
		else
			appendStringInfoChar(&out, (unsigned char) *string < ' ' ? ' ' : *string);
	return out.data;
}

/* ---- Mermaid ---- */

static void
mermaid_begin(Diagram *diagram)
{
	appendStringInfoString(diagram->out, "stateDiagram-v2\n");
}

static void
mermaid_node(Diagram *diagram, int i, const char *note)
{
	if (strcmp(diagram->ids[i], diagram->states[i]->code) != 0)
		appendStringInfo(diagram->out, "    state \"%s\" as %s\n",
						 mermaid_text(diagram->states[i]->code), diagram->ids[i]);
	if (note != NULL)
		appendStringInfo(diagram->out, "    note right of %s : %s\n", diagram->ids[i],
						 mermaid_text(note));
}

static void
mermaid_edge(Diagram *diagram, const char *from, const char *to, const char *label,
			 const char *style)
{
	appendStringInfo(diagram->out, "    %s --> %s", from, to);
	if (label != NULL)
		appendStringInfo(diagram->out, " : %s", mermaid_text(label));
	appendStringInfoChar(diagram->out, '\n');
}

static void
mermaid_end(Diagram *diagram)
{
}

/* ---- Graphviz ---- */

static void
dot_begin(Diagram *diagram)
{
	appendStringInfo(diagram->out, "digraph \"%s\" {\n", machine_name(diagram->machine));
	appendStringInfoString(diagram->out,
						   "    node [shape=box, style=rounded];\n"
						   "    \"\" [shape=point];\n");
}

static void
dot_node(Diagram *diagram, int i, const char *note)
{
	const State *state = diagram->states[i];

	appendStringInfo(diagram->out, "    \"%s\" [label=\"%s", diagram->ids[i], dot_text(state->code));
	if (note != NULL)
		appendStringInfo(diagram->out, "\\n%s", dot_text(note));
	appendStringInfo(diagram->out, "\"%s];\n", state->kind == STATE_FINAL ? ", peripheries=2" : "");
}

static void
dot_edge(Diagram *diagram, const char *from, const char *to, const char *label,
		 const char *style)
{
	appendStringInfo(diagram->out, "    \"%s\" -> \"%s\"", from, to);
	if (label != NULL)
		appendStringInfo(diagram->out, " [label=\"%s\"%s%s]", dot_text(label),
						 style == NULL ? "" : ", style=", style == NULL ? "" : style);
	appendStringInfoString(diagram->out, ";\n");
}

static void
dot_end(Diagram *diagram)
{
	appendStringInfoString(diagram->out, "}\n");
}

static const Language languages[] = {
	{"mermaid", mermaid_begin, mermaid_node, mermaid_edge, mermaid_end, "[*]", "[*]"},
	{"dot", dot_begin, dot_node, dot_edge, dot_end, "", NULL},
};

/* ---- the picture ---- */

static int
code_order(const void *a, const void *b)
{
	const State *left = *(const State *const *) a;
	const State *right = *(const State *const *) b;

	return left->kind != right->kind ? (int) left->kind - (int) right->kind :
		strcmp(left->code, right->code);
}

static int
state_number(const Diagram *diagram, const State *state)
{
	for (int i = 0; i < diagram->n; i++)
		if (diagram->states[i] == state)
			return i;
	return -1;
}

/*
 * Order the states from the initial one outwards, as a return goes, because
 * the drawing programs place the states in the order in which they read them.
 * States that cannot be reached come last.
 */
static void
order_states(Diagram *diagram)
{
	const State *state;
	const State **all;
	int			n = 0;
	int			done = 0;

	while (state_nth(diagram->machine, n) != NULL)
		n++;
	all = palloc(sizeof(State *) * (n + 1));
	for (int i = 0; i < n; i++)
		all[i] = state_nth(diagram->machine, i);
	qsort(all, n, sizeof(State *), code_order);
	diagram->states = palloc(sizeof(State *) * (n + 1));
	for (int next = 0; next < n; next++)
	{
		if (state_number(diagram, all[next]) < 0)
			diagram->states[diagram->n++] = all[next];
		while (done < diagram->n)
		{
			state = diagram->states[done++];
			for (int t = 0; t < state->ntransitions; t++)
				if (state_number(diagram, state->transitions[t].to) < 0)
					diagram->states[diagram->n++] = state->transitions[t].to;
		}
	}
	diagram->ids = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		diagram->ids[i] = node_id(diagram->machine, diagram->states[i]->code, i);
}

static char *
edge_label(const Transition *edge)
{
	StringInfoData label;

	initStringInfo(&label);
	appendStringInfoString(&label, actors_describe(edge->actors));
	if (edge->requires != 0)
		appendStringInfo(&label, " [%s]", requirements_describe(edge->requires, "] ["));
	if (edge->resolution != RESOLUTION_ANY)
		appendStringInfo(&label, " [resolution %s]",
						 resolution_name(edge->resolution));
	if (edge->guard != NULL)
		appendStringInfo(&label, " [guard %s]", edge->guard);
	if (edge->reversal)
		appendStringInfoString(&label, " [reversal]");
	return label.data;
}

static bool
same_timer(const StageRule *a, const StageRule *b)
{
	return a->on_timeout == b->on_timeout && a->term == b->term && a->unit == b->unit;
}

/* Which returns the rule is for: "kz phones exchange"; "": all. */
static char *
short_scope(const StageRule *rule)
{
	const char *parts[] = {
		rule->market, rule->category,
		rule->resolution == RESOLUTION_ANY ? NULL : resolution_name(rule->resolution)
	};
	StringInfoData scope;

	initStringInfo(&scope);
	for (int i = 0; i < lengthof(parts); i++)
		if (parts[i] != NULL)
			appendStringInfo(&scope, "%s%s", scope.len > 0 ? " " : "", parts[i]);
	return scope.data;
}

/*
 * One label for rule k of a state and all rules with the same term and target:
 * "timer after 7 days (kz, ru)".  NULL when an earlier rule has this label.
 */
static char *
timer_label(const State *state, int k, const char *prefix)
{
	const StageRule *rule = &state->rules[k];
	StringInfoData label;
	StringInfoData scopes;

	for (int i = 0; i < k; i++)
		if (same_timer(&state->rules[i], rule))
			return NULL;
	initStringInfo(&label);
	initStringInfo(&scopes);
	for (int i = k; i < state->nrules; i++)
	{
		char	   *scope = short_scope(&state->rules[i]);

		if (!same_timer(&state->rules[i], rule))
			continue;
		if (scope[0] == '\0')
			scope = k == 0 && state->nrules == 1 ? scope : "else";
		if (scope[0] != '\0')
			appendStringInfo(&scopes, "%s%s", scopes.len > 0 ? ", " : "", scope);
	}
	appendStringInfo(&label, "%s after %s", prefix, term_text(rule->term, rule->unit));
	if (scopes.len > 0)
		appendStringInfo(&label, " (%s)", scopes.data);
	return label.data;
}

/* The timers of a state that have no target; NULL: none. */
static char *
state_note(const State *state)
{
	StringInfoData note;

	initStringInfo(&note);
	for (int k = 0; k < state->nrules; k++)
	{
		char	   *label = state->rules[k].on_timeout != NULL ? NULL :
			timer_label(state, k, "overdue");

		if (label != NULL)
			appendStringInfo(&note, "%s%s", note.len > 0 ? ", " : "", label);
	}
	return note.len > 0 ? note.data : NULL;
}

static void
draw_state(Diagram *diagram, int i, const Language *language)
{
	const State *state = diagram->states[i];
	const char *id = diagram->ids[i];

	if (state->kind == STATE_INITIAL)
		language->edge(diagram, language->start, id, NULL, NULL);
	for (int t = 0; t < state->ntransitions; t++)
		language->edge(diagram, id, diagram->ids[state_number(diagram, state->transitions[t].to)],
					   edge_label(&state->transitions[t]),
					   state->transitions[t].reversal ? "dotted" : NULL);
	for (int k = 0; k < state->nrules; k++)
	{
		const State *to = state->rules[k].on_timeout;
		char	   *label = to == NULL ? NULL : timer_label(state, k, "timer");

		if (label != NULL)
			language->edge(diagram, id, diagram->ids[state_number(diagram, to)], label, "dashed");
	}
	if (state->kind == STATE_FINAL && language->stop != NULL)
		language->edge(diagram, id, language->stop, NULL, NULL);
}

static const Language *
language_of_argument(const char *name)
{
	for (int i = 0; i < lengthof(languages); i++)
		if (strcmp(name, languages[i].name) == 0)
			return &languages[i];
	ereport(ERROR,
			(errcode(ERRCODE_RT_UNKNOWN_CODE),
			 errmsg("unknown format \"%s\" of a diagram", name),
			 errdetail("The known formats are: mermaid, dot."),
			 errhint("Use one of the known formats.")));
}

PG_FUNCTION_INFO_V1(returns_workflow_diagram);

/* workflow_diagram(machine text, format text) returns text */
Datum
returns_workflow_diagram(PG_FUNCTION_ARGS)
{
	Diagram		diagram = {machine_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)))};
	const Language *language = language_of_argument(text_to_cstring(PG_GETARG_TEXT_PP(1)));

	rules_current();
	diagram.out = makeStringInfo();
	order_states(&diagram);
	language->begin(&diagram);
	for (int i = 0; i < diagram.n; i++)
		language->node(&diagram, i, state_note(diagram.states[i]));
	for (int i = 0; i < diagram.n; i++)
		draw_state(&diagram, i, language);
	language->end(&diagram);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(diagram.out->data, diagram.out->len));
}
