package matching_test

import data.matching

none := {"literals": [], "prefixes": [], "suffixes": [], "substrings": [], "regexes": []}

some_of(list, entries) := object.union(none, {list: entries})

test_each_list if {
	matching.matches(some_of("literals", ["Root"]), "root")
	not matching.matches(some_of("literals", ["root"]), "roots")
	matching.matches(some_of("prefixes", ["admin-"]), "Admin-7")
	not matching.matches(some_of("prefixes", ["admin-"]), "an-admin-7")
	matching.matches(some_of("suffixes", ["-Bot"]), "a-bot")
	matching.matches(some_of("substrings", ["support"]), "the-Support-team")
	matching.matches(some_of("regexes", ["^[a-z]{3}$"]), "abc")
	not matching.matches(some_of("regexes", ["^[a-z]{3}$"]), "ABC")
	not matching.matches(none, "root")
}

test_emptiness if {
	matching.is_empty(none)
	not matching.is_empty(some_of("suffixes", ["x"]))
}

test_hosts if {
	matching.matches_host(["example.org"], "EXAMPLE.org")
	not matching.matches_host(["example.org"], "app.example.org")
	matching.matches_host(["*.example.org"], "app.example.org")
	not matching.matches_host(["*.example.org"], "a.b.example.org")
	matching.matches_host(["**.example.org"], "a.b.example.org")
	not matching.matches_host(["*.example.org"], "example.org")
	not matching.matches_host(["*.example.org"], "badexample.org")
	not matching.matches_host([], "example.org")
}
