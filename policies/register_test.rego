package register_test

import data.register

named(name) := {
	"username": name,
	"method": "password",
	"email": null,
	"requester": {"ip_address": "198.51.100.7", "user_agent": null},
}

none := {"literals": [], "prefixes": [], "suffixes": [], "substrings": [], "regexes": []}

codes := {violation.code | some violation in register.violations}

test_by_default_every_name_will_do if {
	every name in ["a", "alice", "admin", "support"] {
		count(register.violations) == 0 with input as named(name)
	}
}

test_a_banned_name if {
	codes == {"name_banned"} with input as named("admin")
		with data.settings.register.banned_names as object.union(none, {"literals": ["admin"]})
	count(codes) == 0 with input as named("alice")
		with data.settings.register.banned_names as object.union(none, {"literals": ["admin"]})
}

test_only_some_names_are_allowed if {
	codes == {"name_not_allowed"} with input as named("alice")
		with data.settings.register.allowed_names as object.union(none, {"suffixes": ["-guest"]})
	count(codes) == 0 with input as named("alice-guest")
		with data.settings.register.allowed_names as object.union(none, {"suffixes": ["-guest"]})
}

test_a_ban_wins_over_a_permission if {
	codes == {"name_banned"} with input as named("root")
		with data.settings.register.allowed_names as object.union(none, {"literals": ["root"]})
		with data.settings.register.banned_names as object.union(none, {"literals": ["root"]})
}

test_a_short_name if {
	register.violations == {{"code": "name_too_short", "minimum": 3}} with input as named("al")
		with data.settings.register.minimum_name_length as 3
	count(codes) == 0 with input as named("ali") with data.settings.register.minimum_name_length as 3
}

test_a_way_that_is_closed if {
	register.violations == {{"code": "method_not_allowed", "method": "password"}} with input as named("alice")
		with data.settings.register.methods as ["upstream"]
}

test_a_banned_requester if {
	codes == {"requester_banned"} with input as named("alice")
		with data.settings.requester.banned_networks as ["198.51.100.0/24"]
}

test_administrators_choose_any_name if {
	every method in ["command_line", "admin_api"] {
		count(codes) == 0 with input as object.union(named("root"), {"method": method})
			with data.settings.register.minimum_name_length as 30
			with data.settings.register.banned_names as object.union(none, {"literals": ["root"]})
			with data.settings.register.allowed_names as object.union(none, {"literals": ["alice"]})
	}
}
