# Ways to recognise a text, shared by all questions.
package matching

# Whether `text` is recognised by one of the lists of `patterns`. Letter case only matters to
# `regexes`, which see the text as it was given.
matches(patterns, text) if {
	some literal in patterns.literals
	lower(literal) == lower(text)
}

matches(patterns, text) if {
	some prefix in patterns.prefixes
	startswith(lower(text), lower(prefix))
}

matches(patterns, text) if {
	some suffix in patterns.suffixes
	endswith(lower(text), lower(suffix))
}

matches(patterns, text) if {
	some substring in patterns.substrings
	contains(lower(text), lower(substring))
}

matches(patterns, text) if {
	some expression in patterns.regexes
	regex.match(expression, text)
}

# Whether none of the lists has an entry.
is_empty(patterns) if {
	every list in patterns {
		count(list) == 0
	}
}

# Whether a host or domain is one of `globs`: `*` stands for a single label, `**` for any number.
matches_host(globs, host) if {
	some pattern in globs
	glob.match(lower(pattern), ["."], lower(host))
}
